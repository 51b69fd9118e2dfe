import { Hono } from "hono";
import { html } from "hono/html";
import { type Html, page } from "../ui/page.ts";
import { type ShopifyControl, shopifyControl } from "./control/index.ts";
import { controlApi, controlPages } from "./control/routes.ts";
import { Engine } from "./graphql/engine.ts";
import { loadSchema } from "./graphql/schema.ts";
import { adminApi } from "./http/admin-api.ts";
import type { Env, Services } from "./http/env.ts";
import { faults } from "./http/faults.ts";
import { oauth } from "./http/oauth.ts";
import type { SeedSizes } from "./seed/index.ts";
import { Dispatcher } from "./webhooks/dispatcher.ts";
import { httpSender } from "./webhooks/sender.ts";
import { type Clock, findShop, newDice, newWorldState, type World, type WorldState } from "./world.ts";

export interface ShopifyOptions {
  readonly clock: Clock;
  readonly seed: number;
  readonly sizes: Partial<SeedSizes>;
  readonly log: (line: string) => void;
  /** The world as an earlier process left it. */
  readonly restored: WorldState | null;
  /** Called after anything changed that should outlive the process. */
  readonly changed: () => void;
}

export interface Shopify {
  readonly routes: Hono<Env>;
  readonly control: ShopifyControl;
  readonly state: WorldState;
  close(): Promise<void>;
}

/** The emulated Shopify: its stores, its routes, and the handle that drives it. */
export function createShopify(options: ShopifyOptions): Shopify {
  const { clock, seed, sizes, log, changed } = options;
  const state = options.restored ?? newWorldState({ seed, sizes, today: clock.now() });
  const world: World = { state, clock, dice: newDice(seed), log };
  const dispatcher = new Dispatcher(world, httpSender(), changed);
  const services: Services = { world, dispatcher, engine: new Engine(loadSchema()), changed };
  const control = shopifyControl(services);
  dispatcher.resume();
  return { routes: routesOf(services, control), control, state, close: () => dispatcher.close() };
}

function routesOf(services: Services, control: ShopifyControl): Hono<Env> {
  const routes = new Hono<Env>();
  routes.get("/", (c) => c.html(indexPage(services)));
  routes.route("/_control", controlApi(services, control));
  routes.use("/_shops/:shop/*", async (c, next) => {
    const shop = findShop(services.world.state, c.req.param("shop"));
    if (!shop) return c.json({ errors: "Not Found" }, 404);
    c.set("shop", shop);
    return next();
  });
  routes.get("/_shops/:shop", (c) => c.redirect(`${c.req.path}/control`, 302));
  routes.get("/_shops/:shop/admin", (c) => c.redirect(c.req.path.replace(/admin$/, "control"), 302));
  routes.use("/_shops/:shop/admin/*", faults);
  routes.route("/_shops/:shop", oauth(services));
  routes.route("/_shops/:shop", adminApi(services));
  routes.route("/_shops/:shop", controlPages(services));
  return routes;
}

/** The list of stores, and what a developer needs to connect one. */
function indexPage(services: Services): Html {
  const { shops, apps } = services.world.state;
  const stores = [...shops.values()].map(
    ({ catalog, installs }) =>
      html`<section class="card">
        <div class="pair">
          <span class="mark store" aria-hidden="true">${catalog.profile.name.slice(0, 1)}</span>
          <div>
            <h2>${catalog.profile.name}</h2>
            <code class="soft">${catalog.profile.domain}</code>
          </div>
        </div>
        <div class="figures">
          <div><b>${catalog.orders.size}</b><span>orders</span></div>
          <div><b>${catalog.products.size}</b><span>products</span></div>
          <div><b>${catalog.profile.currency}</b><span>currency</span></div>
          <div><b>${installs.size}</b><span>apps installed</span></div>
        </div>
        <a class="button primary" href="/_shops/${catalog.profile.domain}/control">Open store control</a>
      </section>`,
  );
  const rows = [...apps.values()].map(
    (app) =>
      html`<li>
        <div class="main">
          <strong>${app.title}</strong><span class="soft small">client id <code>${app.clientId}</code></span>
        </div>
        <code>${app.clientSecret}</code>
      </li>`,
  );
  const body = html`<main>
    <header class="top">
      <div>
        <h1>Sandbox stores</h1>
        <p class="soft">
          Look-alikes of Shopify stores, running on this machine. Connect one, then make things happen in it.
        </p>
      </div>
      <span class="badge">Shopify Admin API 2026-10</span>
    </header>
    <div class="grid">${stores}</div>
    <section class="card">
      <h2>Apps that may connect</h2>
      <ul class="plain">
        ${rows}
      </ul>
      <p class="soft small">
        These secrets open nothing but this sandbox. Tests register their own apps at <code>POST /_control/apps</code>.
      </p>
    </section>
  </main>`;
  return page({ title: "Sandbox stores", body });
}
