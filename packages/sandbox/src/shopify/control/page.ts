import { html, raw } from "hono/html";
import { type Html, page } from "../../ui/page.ts";
import type { Services } from "../http/env.ts";
import type { Order } from "../model.ts";
import { toDecimal } from "../money.ts";
import { financialStatus, totalsOf } from "../totals.ts";
import type { Delivery, ShopState } from "../world.ts";

const SHOWN_ORDERS = 8;
const SHOWN_PRODUCTS = 40;
const SHOWN_DELIVERIES = 14;

interface Flash {
  readonly message: string;
  readonly bad: boolean;
}

/** The page a developer opens to make things happen in a store, and to watch what the store sends. */
export function controlPage(services: Services, shop: ShopState, flash: Flash | null): Html {
  const { profile, orders, products, customers } = shop.catalog;
  const body = html`<main>
      <header class="top">
        <div class="pair">
          <span class="mark store" aria-hidden="true">${profile.name.slice(0, 1)}</span>
          <div>
            <h1>${profile.name}</h1>
            <p class="soft small">${profile.domain} · <a href="/">all sandbox stores</a></p>
          </div>
        </div>
        ${installBadge(shop)}
      </header>
      ${flash ? html`<p class="notice ${flash.bad ? "bad" : ""}" role="status">${flash.message}</p>` : ""}
      <section class="card">
        <div class="figures">
          ${figure(orders.size, "orders")} ${figure(products.size, "products")} ${figure(customers.size, "customers")}
          ${figure(shop.subscriptions.size, "webhook subscriptions")} ${figure(profile.currency, "store currency")}
        </div>
      </section>
      <div class="columns">
        <div class="stack">${orderCard(shop)} ${recentOrders(shop)} ${productCard(shop)}</div>
        <div class="stack">${deliveriesCard(services, shop)} ${faultsCard(shop)} ${appCard(shop)}</div>
      </div>
    </main>
    <script>
      ${raw(LIVE_WEBHOOKS)};
    </script>`;
  return page({ title: `${profile.name} · sandbox control`, body });
}

/** Keeps the list of webhooks fresh while somebody looks at it. Without scripts there is the Refresh link. */
const LIVE_WEBHOOKS = `
setInterval(async () => {
  const shown = document.getElementById("webhooks");
  if (document.hidden || !shown || shown.contains(document.activeElement)) return;
  const answer = await fetch(location.pathname).catch(() => null);
  if (!answer || !answer.ok) return;
  const next = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("webhooks");
  if (next && next.innerHTML !== shown.innerHTML) shown.innerHTML = next.innerHTML;
}, 2000);
`;

function installBadge(shop: ShopState): Html {
  const names = [...shop.installs.keys()];
  if (names.length === 0) return html`<span class="badge plain">no app installed</span>`;
  return html`<span class="badge">installed: ${names.join(", ")}</span>`;
}

function figure(value: number | string, name: string): Html {
  return html`<div><b>${value}</b><span>${name}</span></div>`;
}

function orderCard(shop: ShopState): Html {
  const { profile } = shop.catalog;
  return html`<section class="card">
    <h2>Place an order</h2>
    <form method="post" action="${action(shop, "place-order")}" class="row">
      <label
        >Total, ${profile.currency}<input
          name="amount"
          inputmode="decimal"
          placeholder="any amount"
          pattern="[0-9]+([.][0-9]{1,2})?"
      /></label>
      <label
        >Bought by<select name="customer">
          <option value="any">anybody</option>
          <option value="known">a known customer</option>
          <option value="new">a new customer</option>
          <option value="guest">a guest</option>
        </select></label
      >
      <button class="primary" type="submit">Place an order</button>
    </form>
  </section>`;
}

function recentOrders(shop: ShopState): Html {
  const recent = [...shop.catalog.orders.values()]
    .toSorted((a, b) => b.createdAt.getTime() - a.createdAt.getTime() || b.number - a.number)
    .slice(0, SHOWN_ORDERS);
  return html`<section class="card">
    <h2>Newest orders</h2>
    <ul class="plain">
      ${recent.map((order) => orderRow(shop, order))}
    </ul>
  </section>`;
}

function orderRow(shop: ShopState, order: Order): Html {
  const totals = totalsOf(order);
  const customer = order.customerId === null ? null : shop.catalog.customers.get(order.customerId);
  const who = customer ? [customer.firstName, customer.lastName].join(" ") : "Guest";
  const status = financialStatus(order);
  const left = totals.received.shop - totals.refunded.shop;
  return html`<li>
    <div class="main">
      <strong>#${order.number} · ${who}</strong>
      <span class="soft small"
        >${order.createdAt.toISOString().replace("T", " ").slice(0, 16)}
        UTC${order.note ? ` · ${order.note}` : ""}</span
      >
    </div>
    <span class="amount">${toDecimal(totals.total.total.shop, order.currency)} ${order.currency}</span>
    <span class="badge ${statusTone(status)}">${words(status)}</span>
    <details style="flex-basis: 100%">
      <summary class="small">Change</summary>
      <div class="stack" style="gap: 10px">
        <form method="post" action="${action(shop, "refund")}" class="row">
          <input type="hidden" name="orderId" value="${order.id}" />
          <label
            >Refund, ${order.currency}<input
              name="amount"
              inputmode="decimal"
              placeholder="all: ${toDecimal(left, order.currency)}"
          /></label>
          <button type="submit" ${left > 0 ? "" : "disabled"}>Refund</button>
        </form>
        <form method="post" action="${action(shop, "update-order")}" class="row">
          <input type="hidden" name="orderId" value="${order.id}" />
          <label>Note<input name="note" value="${order.note ?? ""}" maxlength="5000" /></label>
          <button type="submit">Update order note</button>
        </form>
        <div class="row">
          <form method="post" action="${action(shop, "fulfill-order")}">
            <input type="hidden" name="orderId" value="${order.id}" /><button type="submit">Ship order</button>
          </form>
          <form method="post" action="${action(shop, "cancel-order")}">
            <input type="hidden" name="orderId" value="${order.id}" /><button class="danger" type="submit">
              Cancel order
            </button>
          </form>
        </div>
        <code class="soft">gid://shopify/Order/${order.id}</code>
      </div>
    </details>
  </li>`;
}

function productCard(shop: ShopState): Html {
  const { currency } = shop.catalog.profile;
  const shown = [...shop.catalog.products.values()].toReversed().slice(0, SHOWN_PRODUCTS);
  const options = shown.map((product) => {
    const price = toDecimal(product.variants[0]?.price ?? 0, currency);
    return html`<option value="${product.id}">${product.title} · ${price} ${currency}</option>`;
  });
  return html`<section class="card">
    <h2>Products</h2>
    <form method="post" class="stack" style="gap: 10px" action="${action(shop, "edit-product")}">
      <div class="row">
        <label style="flex-basis: 220px"
          >Product<select name="productId">
            ${options}
          </select></label
        >
        <label>New price, ${currency}<input name="price" inputmode="decimal" placeholder="1.00 more" /></label>
      </div>
      <div class="row">
        <button type="submit">Edit product price</button>
        <button class="danger" type="submit" formaction="${action(shop, "delete-product")}">Delete product</button>
      </div>
    </form>
  </section>`;
}

function deliveriesCard(services: Services, shop: ShopState): Html {
  const latest = shop.deliveries.slice(-SHOWN_DELIVERIES).toReversed();
  const now = services.world.clock.now();
  return html`<section class="card" id="webhooks">
    <header class="top">
      <h2>Webhooks sent</h2>
      <a class="small" href="?">Refresh</a>
    </header>
    ${
      latest.length === 0
        ? html`<p class="soft">None yet. They show here as soon as an app has subscribed and something changes.</p>`
        : html`<ul class="plain">
            ${latest.map((delivery) => deliveryRow(delivery, now))}
          </ul>`
    }
    <div class="row">
      <form method="post" action="${action(shop, "retry-webhooks")}">
        <button type="submit">Retry what is due</button>
      </form>
      ${
        shop.switches.hold
          ? html`<form method="post" action="${action(shop, "release-webhooks")}">
              <button type="submit">Release held webhooks</button>
            </form>`
          : ""
      }
    </div>
  </section>`;
}

function deliveryRow(delivery: Delivery, now: Date): Html {
  const last = delivery.attempts.at(-1);
  const tone = delivery.state === "delivered" ? "" : delivery.state === "failed" ? "bad" : "warn";
  const outcome = last ? (last.status === null ? "no answer" : String(last.status)) : delivery.state;
  const wait =
    delivery.nextAttemptAt && last
      ? Math.max(0, Math.round((delivery.nextAttemptAt.getTime() - now.getTime()) / 1000))
      : null;
  const retry = wait === null ? "" : ` · next try in ${wait} s`;
  return html`<li>
    <div class="main">
      <strong>${delivery.topic}</strong>
      <span class="soft small"
        >${delivery.triggeredAt.toISOString().slice(11, 19)} · try
        ${Math.max(1, delivery.attempts.length)}${last ? ` · ${last.elapsedMs} ms` : ""}${retry}</span
      >
      <code class="soft">${new URL(delivery.url).host}${new URL(delivery.url).pathname}</code>
    </div>
    <span class="badge ${tone}">${outcome}</span>
  </li>`;
}

function faultsCard(shop: ShopState): Html {
  const { switches } = shop;
  const check = (name: "disorder" | "hold" | "protectedData" | "sixtyDayWindow", label: string) =>
    html`<label class="check">
      <input type="hidden" name="${name}" value="off" /><input
        type="checkbox"
        name="${name}"
        value="on"
        ${switches[name] ? "checked" : ""}
      />${label}
    </label>`;
  const number = (name: string, label: string, value: number) =>
    html`<label>${label}<input name="${name}" inputmode="numeric" pattern="[0-9]*" value="${value}" /></label>`;
  const statuses = [500, 502, 429].map(
    (status) => html`<option ${switches.failNext.status === status ? "selected" : ""}>${status}</option>`,
  );
  return html`<section class="card">
    <h2>Misbehave</h2>
    <form method="post" action="${action(shop, "switches")}" class="stack" style="gap: 12px">
      <div class="row">
        ${number("latencyMs", "Delay each answer, ms", switches.latencyMs)}
        ${number("throttleNext", "Throttle the next queries", switches.throttleNext)}
      </div>
      <div class="row">
        ${number("failCount", "Fail the next calls", switches.failNext.count)}
        <label
          >with<select name="failStatus">
            ${statuses}
          </select></label
        >
        ${number("dropNext", "Drop connections", switches.dropNext)}
      </div>
      <div class="row">${number("duplicates", "Extra copies of each webhook", switches.duplicates)}</div>
      <div class="row">${check("disorder", "Webhooks out of order")} ${check("hold", "Hold webhooks back")}</div>
      <div class="row">
        ${check("sixtyDayWindow", "Hide orders older than 60 days")}
        ${check("protectedData", "Protected data approved")}
      </div>
      <div class="row">
        <button type="submit">Apply</button>
        <button type="submit" formaction="${action(shop, "calm")}">Back to normal</button>
      </div>
    </form>
  </section>`;
}

function appCard(shop: ShopState): Html {
  const none = shop.installs.size === 0 ? "disabled" : "";
  return html`<section class="card">
    <h2>The app’s access</h2>
    <p class="soft small">
      Uninstalling kills the tokens at once and sends <code>app/uninstalled</code>. Revoking kills the tokens and says
      nothing.
    </p>
    <div class="row">
      <form method="post" action="${action(shop, "uninstall")}">
        <button class="danger" type="submit" ${none}>Uninstall the app</button>
      </form>
      <form method="post" action="${action(shop, "revoke-tokens")}">
        <button type="submit" ${none}>Revoke tokens</button>
      </form>
    </div>
  </section>`;
}

function action(shop: ShopState, verb: string): string {
  return `/_shops/${shop.catalog.profile.domain}/control/${verb}`;
}

function statusTone(status: string): string {
  if (status === "PAID") return "";
  return status === "REFUNDED" || status === "VOIDED" ? "bad" : "warn";
}

function words(status: string): string {
  return status.toLowerCase().replaceAll("_", " ");
}
