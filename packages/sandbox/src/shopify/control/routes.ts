import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { z } from "zod";
import type { Env, Services } from "../http/env.ts";
import { Refused } from "../store.ts";
import { findShop } from "../world.ts";
import { actOn, AppSchema, type ShopifyControl } from "./index.ts";
import { controlPage } from "./page.ts";
import { VERBS } from "./verbs.ts";

const MAX_BODY_BYTES = 64 * 1024;

/** `/_control/…`: JSON for programs. */
export function controlApi(services: Services, control: ShopifyControl): Hono<Env> {
  const routes = new Hono<Env>();
  routes.use(bodyLimit({ maxSize: MAX_BODY_BYTES, onError: (c) => c.json({ error: "body too large" }, 413) }));
  routes.get("/", (c) => c.json({ shops: control.shops, verbs: Object.keys(VERBS) }));
  routes.post("/apps", async (c) => {
    const app = AppSchema.safeParse(await c.req.json().catch(() => null));
    if (!app.success) return c.json({ error: z.prettifyError(app.error) }, 400);
    control.registerApp(app.data);
    return c.json({ clientId: app.data.clientId }, 201);
  });
  routes.get("/shops/:shop", (c) => {
    const shop = findShop(services.world.state, c.req.param("shop"));
    if (!shop) return c.json({ error: "no such shop" }, 404);
    const { catalog, installs, subscriptions, switches, deliveries } = shop;
    return c.json({
      domain: catalog.profile.domain,
      gid: `gid://shopify/Shop/${catalog.profile.id}`,
      orders: catalog.orders.size,
      products: catalog.products.size,
      customers: catalog.customers.size,
      installs: [...installs.values()].map(({ clientId, scopes }) => ({ clientId, scopes })),
      subscriptions: [...subscriptions.values()].map(({ topic, uri, clientId }) => ({ topic, uri, clientId })),
      switches,
      deliveries: deliveries.map(({ webhookId, topic, url, state, attempts, nextAttemptAt }) => ({
        webhookId,
        topic,
        url,
        state,
        attempts,
        nextAttemptAt,
      })),
    });
  });
  routes.post("/shops/:shop/:verb", async (c) => {
    const shop = findShop(services.world.state, c.req.param("shop"));
    if (!shop || !Object.hasOwn(VERBS, c.req.param("verb"))) return c.json({ error: "no such shop or verb" }, 404);
    const input: unknown = await c.req.json().catch(() => ({}));
    return attempt(() => control.act(shop.catalog.profile.domain, c.req.param("verb"), Object(input)), {
      ok: (outcome) => c.json(outcome),
      wrong: (message) => c.json({ error: message }, 422),
    });
  });
  return routes;
}

/** `/_shops/{shop}/control`: the page, and forms that come back to it. */
export function controlPages(services: Services): Hono<Env> {
  const routes = new Hono<Env>();
  routes.get("/control", (c) => c.html(controlPage(services, c.get("shop"), flashOf(c))));
  routes.post("/control/:verb", bodyLimit({ maxSize: MAX_BODY_BYTES }), async (c) => {
    const name = c.req.param("verb");
    if (!Object.hasOwn(VERBS, name)) return c.notFound();
    const input = await c.req.parseBody();
    const back = c.req.path.replace(/\/control\/.*$/, "/control");
    const answer = (kind: "bad" | "ok", message: string) =>
      c.redirect(`${back}?${new URLSearchParams({ [kind]: message })}`, 303);
    return attempt(() => actOn(services, c.get("shop"), name, input), {
      ok: (outcome) => {
        services.changed();
        return answer("ok", outcome.message);
      },
      wrong: (message) => answer("bad", message),
    });
  });
  return routes;
}

function flashOf(c: Context<Env>): { readonly message: string; readonly bad: boolean } | null {
  const ok = c.req.query("ok");
  const bad = c.req.query("bad");
  if (bad) return { message: bad, bad: true };
  return ok ? { message: ok, bad: false } : null;
}

function attempt<T, A, B>(
  action: () => T,
  answers: { readonly ok: (value: T) => A; readonly wrong: (message: string) => B },
): A | B {
  try {
    return answers.ok(action());
  } catch (error) {
    if (error instanceof z.ZodError) return answers.wrong(z.prettifyError(error));
    if (error instanceof Refused) return answers.wrong(error.message);
    throw error;
  }
}
