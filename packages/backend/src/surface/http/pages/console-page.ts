import type { Delivery, Run, Workspace } from "@patchbay/shared";
import { html } from "hono/html";
import type { EventSummary } from "../../../products/delivery/index.ts";
import type { Page } from "./page.ts";

export interface ConsoleData {
  readonly workspaces: readonly Workspace[];
  readonly selected: Workspace;
  readonly runs: readonly Run[];
  readonly events: readonly EventSummary[];
  readonly deliveries: readonly Delivery[];
  readonly now: Date;
}

type Html = ReturnType<typeof html>;

export function signInPage(problem: string | null): Page {
  return {
    title: "Patchbay console",
    status: problem === null ? 200 : 401,
    body: html`<form class="card" method="post" action="/console/sign-in">
      <h1>Patchbay console</h1>
      <p>Sign in with the operator token. It is in the file that <code>PATCHBAY_OPERATOR_TOKEN_FILE</code> names.</p>
      ${problem === null ? "" : html`<p role="alert">${problem}</p>`}
      <label for="token">Operator token</label>
      <input id="token" name="token" type="password" autocomplete="off" required />
      <div class="actions"><button>Sign in</button></div>
    </form>`,
  };
}

export function emptyConsolePage(): Page {
  return {
    title: "Patchbay console",
    body: html`<div class="card">
      <h1>No workspace yet</h1>
      <p>Make one with <code>patchbay workspaces create --name "Your product"</code>, then come back.</p>
    </div>`,
  };
}

/** Recent runs, events and deliveries of one workspace; reading only. */
export function consolePage(data: ConsoleData): Page {
  return {
    title: `${data.selected.name} · Patchbay console`,
    width: "wide",
    script: "setTimeout(() => location.reload(), 5000);",
    body: html`<header>
        <div>
          <h1>${data.selected.name} <span class="pill">${data.selected.mode}</span></h1>
          <small>Read-only, newest first, refreshed every 5 seconds</small>
        </div>
        <nav aria-label="Workspaces">
          ${data.workspaces.map((workspace) => workspaceLink(workspace, data.selected))}
        </nav>
      </header>
      ${table(
        "Runs",
        ["Started", "Connection", "Kind", "Status", "Records"],
        data.runs.map((run) => runRow(run, data.now)),
      )}
      ${table(
        "Events",
        ["Happened", "Type", "Tenant", "Position", "Id"],
        data.events.map((event) => eventRow(event, data.now)),
      )}
      ${table(
        "Deliveries",
        ["Made", "Event", "Tenant", "Status", "Attempts", "Next attempt"],
        data.deliveries.map((delivery) => deliveryRow(delivery, data.now)),
      )}`,
  };
}

function workspaceLink(workspace: Workspace, selected: Workspace): Html {
  if (workspace.id === selected.id) return html``;
  return html`<a href="/console?workspace=${workspace.id}">${workspace.name}</a> `;
}

function table(title: string, columns: readonly string[], rows: readonly Html[]): Html {
  return html`<section aria-label="${title}">
    <div class="head"><h2>${title}</h2></div>
    ${
      rows.length === 0
        ? html`<div class="empty">Nothing yet.</div>`
        : html`<div class="scroll" tabindex="0" role="region" aria-label="${title}, scrollable">
            <table>
              <thead>
                <tr>
                  ${columns.map((column) => html`<th scope="col">${column}</th>`)}
                </tr>
              </thead>
              <tbody>
                ${rows}
              </tbody>
            </table>
          </div>`
    }
  </section>`;
}

function runRow(run: Run, now: Date): Html {
  const total = run.models.reduce((sum, model) => sum + model.done, 0);
  return html`<tr>
    <td>${ago(run.startedAt ?? run.createdAt, now)}</td>
    <td><code>${short(run.connectionId)}</code> ${run.tenantId}</td>
    <td>${run.kind}</td>
    <td>${pill(run.status)} ${run.problem ?? ""}</td>
    <td>${total.toLocaleString("en")}</td>
  </tr>`;
}

function eventRow(event: EventSummary, now: Date): Html {
  return html`<tr>
    <td>${ago(event.occurredAt, now)}</td>
    <td>${event.type}</td>
    <td>${event.tenantId ?? "–"}</td>
    <td>${event.position ?? "–"}</td>
    <td><code>${short(event.id)}</code></td>
  </tr>`;
}

function deliveryRow(delivery: Delivery, now: Date): Html {
  return html`<tr>
    <td>${ago(delivery.createdAt, now)}</td>
    <td>${delivery.eventType}</td>
    <td>${delivery.tenantId ?? "–"}</td>
    <td>${pill(delivery.status)}</td>
    <td>${delivery.attempts}</td>
    <td>${delivery.nextAttemptAt === null ? "–" : ago(delivery.nextAttemptAt, now)}</td>
  </tr>`;
}

const TONES: Readonly<Record<string, string>> = {
  completed: "ok",
  delivered: "ok",
  partial: "warn",
  held: "warn",
  failed: "bad",
};

function pill(status: string): Html {
  return html`<span class="pill ${TONES[status] ?? ""}">${status}</span>`;
}

/** `conn_01jd…8x2k`: enough to recognize. */
function short(id: string): string {
  return id.length < 20 ? id : `${id.slice(0, 10)}…${id.slice(-4)}`;
}

const RELATIVE = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "short" });
const UNITS = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
] as const;

function ago(at: string, now: Date): Html {
  const seconds = Math.round((new Date(at).getTime() - now.getTime()) / 1_000);
  const [unit, size] = UNITS.find(([, length]) => Math.abs(seconds) >= length) ?? (["second", 1] as const);
  return html`<time datetime="${at}" title="${at}">${RELATIVE.format(Math.round(seconds / size), unit)}</time>`;
}
