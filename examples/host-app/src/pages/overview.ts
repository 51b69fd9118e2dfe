import type { Order } from "@patchbay/node";
import { html } from "hono/html";
import { ago, count, day, label, money, number, roundMoney } from "../format.ts";
import { type OrderSummary, summarize } from "../order-summary.ts";
import { icon, layout, type Markup, type PageContext } from "./layout.ts";

const ROWS_MAX = 25;

interface Overview extends PageContext {
  /** Newest first. */
  readonly orders: readonly Order[];
  /** Patchbay did not answer; `orders` is what was known before. */
  readonly stale: boolean;
  readonly now: Date;
}

export function overviewPage(view: Overview): Markup {
  const { user, orders, stale, now } = view;
  const summary = summarize(orders);
  const content = html` <div class="head" id="head" data-live>
      <div>
        <p class="eyebrow">${user.tenant.name}</p>
        <h1>Orders</h1>
      </div>
      ${summary ? html`<button type="button" class="button quiet" data-connect>${icon("plus")}Add a store</button>` : ""}
    </div>
    <div class="columns">
      <div id="orders" data-live>
        ${stale ? html`<p class="notice" role="status">We can’t reach your stores right now. You see what we knew before.</p>` : ""}
        ${summary ? [figures(summary), chart(summary), table(orders, now)] : welcome()}
      </div>
      <aside class="side" aria-labelledby="stores">
        <section>
          <h2 id="stores" class="hidden">Connected stores</h2>
          <patchbay-connect mode="inline"></patchbay-connect>
          <p class="fallback" id="widget-missing" hidden>
            The connection panel did not load. Is Patchbay running at <b>${view.patchbayOrigin}</b>?
          </p>
        </section>
      </aside>
    </div>`;
  return layout({ ...view, title: "Orders", path: "/", content });
}

function welcome(): Markup {
  return html`<section class="card welcome">
    <svg viewBox="0 0 320 96" aria-hidden="true" preserveAspectRatio="none">
      <path
        class="ghost"
        d="M0 72c20 0 20-26 40-26s20 18 40 18 20-34 40-34 20 24 40 24 20-40 40-40 20 30 40 30 20-20 40-20 20-14 40-14V96H0z"
      />
      <path
        class="tide"
        d="M0 72c20 0 20-26 40-26s20 18 40 18 20-34 40-34 20 24 40 24 20-40 40-40 20 30 40 30 20-20 40-20 20-14 40-14"
      />
    </svg>
    <div>
      <h2>See your orders as they come in</h2>
      <p>Connect your store. We bring in its orders and refunds, and keep them up to date by themselves.</p>
      <button type="button" class="button" data-connect>Connect your store</button>
    </div>
  </section>`;
}

function figures(summary: OrderSummary): Markup {
  const { currency, currencyExponent, days } = summary;
  const amount = (minorUnits: number) => money(minorUnits, currency, currencyExponent);
  return html`<section class="figures" aria-label="${count(days.length, "day")}">
    ${figure("Net sales", amount(summary.netAmount), `in ${days.length} days`)}
    ${figure("Orders", number(summary.orders), `in ${days.length} days`)}
    ${figure("Average order", amount(summary.averageAmount), "after refunds")}
    ${figure("Refunded", amount(summary.refundedAmount), count(summary.refundedOrders, "order"))}
  </section>`;
}

function figure(name: string, value: string, note: string): Markup {
  return html`<div class="card figure">
    <p class="name">${name}</p>
    <p class="value">${value}</p>
    <p class="note">${note}</p>
  </div>`;
}

/** Bars in a box of 100 × 100, stretched by the stylesheet. */
function chart({ days, currency, currencyExponent }: OrderSummary): Markup {
  const highest = Math.max(...days.map((one) => one.amount), 1);
  const step = 100 / days.length;
  const bars = days.map((one, index) => {
    const height = Math.max((one.amount / highest) * 100, one.orders > 0 ? 1.5 : 0);
    const title = `${day(one.date)}: ${money(one.amount, currency, currencyExponent)}, ${count(one.orders, "order")}`;
    return html`<g
      ><rect class="hit" x="${index * step}" y="0" width="${step}" height="100" /><rect
        class="bar-fill"
        x="${index * step + step * 0.16}"
        y="${100 - height}"
        width="${step * 0.68}"
        height="${height}"
      /><title>${title}</title></g
    >`;
  });
  return html`<section class="card chart">
    <header>
      <h2>Net sales per day</h2>
      <p>highest ${roundMoney(highest, currency, currencyExponent)}</p>
    </header>
    <svg viewBox="0 0 100 100" preserveAspectRatio="none" role="img" aria-label="Net sales per day, bars">${bars}</svg>
    <p class="axis">
      <span>${dayAt(days, 0)}</span><span>${dayAt(days, Math.floor(days.length / 2))}</span
      ><span>${dayAt(days, days.length - 1)}</span>
    </p>
  </section>`;
}

function dayAt(days: OrderSummary["days"], index: number): string {
  const at = days[index];
  return at ? day(at.date) : "";
}

function table(orders: readonly Order[], now: Date): Markup {
  return html`<section class="card orders">
    <header>
      <h2>Latest orders</h2>
      <p>${count(orders.length, "order")} in all</p>
    </header>
    <table>
      <thead>
        <tr>
          <th scope="col">Order</th>
          <th scope="col">Customer</th>
          <th scope="col">Payment</th>
          <th scope="col">Fulfillment</th>
          <th scope="col" class="num">Total</th>
        </tr>
      </thead>
      <tbody>
        ${orders.slice(0, ROWS_MAX).map((order) => row(order, now))}
      </tbody>
    </table>
  </section>`;
}

function row(order: Order, now: Date): Markup {
  const placedAt = new Date(order.placedAt ?? order.remoteCreatedAt ?? order.firstSeenAt);
  const refunded = order.refundedAmount ?? 0;
  const amount = (minorUnits: number) => money(minorUnits, order.currency, order.currencyExponent);
  return html`<tr id="${order.id}">
    <td class="name">
      <b>${order.name ?? order.remoteId}</b><time datetime="${placedAt.toISOString()}">${ago(placedAt, now)}</time>
    </td>
    <td class="customer">
      <span>${order.shippingAddress?.name ?? order.email ?? "Guest"}</span
      ><small
        >${count(
          order.lines.reduce((items, line) => items + line.quantity, 0),
          "item",
        )}</small
      >
    </td>
    <td class="payment">${order.status === "canceled" ? badge("canceled", "bad") : badge(order.financialStatus)}</td>
    <td class="fulfillment">${badge(order.fulfillmentStatus)}</td>
    <td class="num total">
      <b>${amount(order.totalAmount)}</b>${refunded > 0 ? html`<small>${amount(-refunded)} refunded</small>` : ""}
    </td>
  </tr>`;
}

const TONES: Readonly<Record<string, "good" | "warn" | "bad">> = {
  paid: "good",
  fulfilled: "good",
  partially_refunded: "warn",
  refunded: "warn",
  partially_paid: "warn",
  partially_fulfilled: "warn",
  on_hold: "warn",
  voided: "bad",
  expired: "bad",
  request_declined: "bad",
};

function badge(code: string | null, kind = TONES[code ?? ""] ?? "plain"): Markup | "" {
  return code === null ? "" : html`<span class="badge ${kind}">${label(code)}</span>`;
}
