import { html } from "hono/html";
import { TENANTS, tenantName } from "../demo.ts";
import { describeEvent } from "../describe-event.ts";
import type { ReceivedEvent } from "../event-log.ts";
import { ago, duration, number } from "../format.ts";
import { icon, layout, type Markup, type PageContext } from "./layout.ts";

interface Events extends PageContext {
  /** Only this tenant's. */
  readonly tenant: (typeof TENANTS)[number] | undefined;
  /** Newest first. */
  readonly received: readonly ReceivedEvent[];
  readonly refused: number;
  readonly now: Date;
}

export function eventsPage(view: Events): Markup {
  const { tenant, received, refused, now } = view;
  const content = html` <div class="head">
      <div>
        <p class="eyebrow">For developers</p>
        <h1>Events</h1>
        <p class="lead">
          What Patchbay tells Tideline’s backend, as it happens. Each one came as a signed webhook and was checked with
          <code>patchbay.webhooks.unwrap()</code>. Your customers would not see this page.
        </p>
      </div>
      <p class="live" id="live" data-state="waiting"><span></span><b>Connecting…</b></p>
    </div>
    <div id="figures" data-live>${figures(received, refused)}</div>
    <nav class="chips" aria-label="Tenants">
      ${chip("All tenants", "/events", tenant === undefined)}
      ${TENANTS.map((one) => chip(one.name, `/events?tenant=${one.id}`, one === tenant))}
    </nav>
    <section class="card events" id="events" data-live aria-label="Events, newest first">
      ${received.length === 0 ? nothingYet() : [columns(), received.map((one) => row(one, now))]}
    </section>`;
  return layout({ ...view, title: "Events", path: "/events", content });
}

function figures(received: readonly ReceivedEvent[], refused: number): Markup {
  const latencies = received.map((one) => one.latencyMs).toSorted((a, b) => a - b);
  const repeated = received.reduce((sum, one) => sum + one.copies - 1, 0);
  const median = latencies[Math.floor(latencies.length / 2)];
  return html`<section class="figures" aria-label="In short">
    ${figure("Verified", number(received.length), "signature right, newest 300 kept")}
    ${figure("Repeated", number(repeated), "same id again, acted on once")}
    ${figure("Refused", number(refused), "signature wrong or missing")}
    ${figure("Median latency", median === undefined ? "–" : duration(median), "from change to arrival")}
  </section>`;
}

function figure(name: string, value: string, note: string): Markup {
  return html`<div class="card figure">
    <p class="name">${name}</p>
    <p class="value">${value}</p>
    <p class="note">${note}</p>
  </div>`;
}

function chip(name: string, href: string, isCurrent: boolean): Markup {
  return html`<a class="chip" href="${href}" ${isCurrent ? html` aria-current="true"` : ""}>${name}</a>`;
}

function nothingYet(): Markup {
  return html`<div class="empty">
    <h2>Nothing yet</h2>
    <p>Connect a store on the <a href="/">overview</a>, then place an order in it. It shows up here in a moment.</p>
  </div>`;
}

function columns(): Markup {
  return html`<div class="event-grid event-columns" aria-hidden="true">
    <span>Type</span><span>Record</span><span>Tenant</span><span class="num">Amount</span><span>Signature</span
    ><span class="num">Latency</span><span class="num">Received</span>
  </div>`;
}

function row({ event, receivedAt, latencyMs, copies }: ReceivedEvent, now: Date): Markup {
  const words = describeEvent(event);
  const [family, change] = event.type.split(".");
  return html`<details class="event" id="${event.id}" data-type="${event.type}">
    <summary class="event-grid">
      <span class="type ${words.tone}"
        ><i></i><span>${family}.<wbr />${change}</span></span
      >
      <span class="subject"><b>${words.subject}</b> <small>${words.detail}</small></span>
      <span class="tenant">${tenantName(event.tenantId)}</span>
      <span class="amount num">${words.amount}</span>
      <span class="verified">${icon("shield")}Verified${copies > 1 ? html` <small>×${copies}</small>` : ""}</span>
      <span class="latency num">${duration(latencyMs)}</span>
      <time class="num" datetime="${receivedAt.toISOString()}">${ago(receivedAt, now)}</time>
    </summary>
    <pre tabindex="0">${JSON.stringify(event, null, 2)}</pre>
  </details>`;
}
