import { type Patchbay, PatchbayError, WebhookVerificationError } from "@patchbay/node";
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { getCookie, setCookie } from "hono/cookie";
import { streamSSE } from "hono/streaming";
import { TENANTS, userOf } from "./demo.ts";
import type { EventLog } from "./event-log.ts";
import type { OrderBook } from "./order-book.ts";
import { eventsPage } from "./pages/events.ts";
import { overviewPage } from "./pages/overview.ts";
import type { Assets } from "./read-assets.ts";
import { localhostName, pageHeaders, sameOrigin } from "./security.ts";

export interface AppDeps {
  readonly patchbay: Patchbay;
  readonly events: EventLog;
  readonly orders: OrderBook;
  readonly assets: Assets;
  readonly webhookSecret: string;
  readonly patchbayOrigin: string;
  /** This app's own address; no slash at the end. */
  readonly url: string;
  readonly log: (line: string) => void;
  readonly now: () => Date;
}

const COOKIE = "tideline_user";
const BODY_BYTES_MAX = 1024 * 1024;
const LIVE_PAGES_MAX = 50;
const LIVE_PING_MS = 15_000;

export function createApp(deps: AppDeps): Hono {
  const app = new Hono();
  const origin = new URL(deps.url).origin;
  app.use(pageHeaders(deps.patchbayOrigin));
  app.use(bodyLimit({ maxSize: BODY_BYTES_MAX }));

  // Patchbay tells us what happened. Verify first, answer quickly.
  app.post("/webhooks/patchbay", async (c) => {
    try {
      const body = await c.req.arrayBuffer();
      const event = await deps.patchbay.webhooks.unwrap(body, c.req.raw.headers, deps.webhookSecret);
      deps.events.add(event, deps.now());
      return c.body(null, 204);
    } catch (error) {
      if (!(error instanceof WebhookVerificationError)) throw error;
      deps.events.refuse();
      deps.log(`refused a webhook: ${error.reason}`);
      return c.text(error.reason, 400);
    }
  });

  // The widget asks for this, on behalf of whoever is signed in to Tideline.
  app.post("/api/connect-session", sameOrigin(origin), async (c) => {
    const user = userOf(getCookie(c, COOKIE));
    const session = await deps.patchbay.tenant(user.tenant.id).connectSessions.create({
      endUser: { id: user.id, label: user.name, email: user.email },
      allowedOrigins: [origin],
      // Where people come back to when their browser allows no windows; registered with the workspace.
      returnUrl: `${origin}/`,
    });
    return c.json({ token: session.token });
  });

  app.get("/", localhostName(deps.url), async (c) => {
    const user = userOf(getCookie(c, COOKIE));
    try {
      const orders = await deps.orders.current(user.tenant.id);
      return c.html(overviewPage({ ...deps, user, orders, stale: false, now: deps.now() }));
    } catch (error) {
      if (!(error instanceof PatchbayError)) throw error;
      deps.log(`could not read orders: ${error.message}`);
      const orders = deps.orders.known(user.tenant.id);
      return c.html(overviewPage({ ...deps, user, orders, stale: true, now: deps.now() }));
    }
  });

  app.get("/events", localhostName(deps.url), (c) => {
    const user = userOf(getCookie(c, COOKIE));
    const tenant = TENANTS.find(({ id }) => id === c.req.query("tenant"));
    const received = deps.events.list(tenant?.id);
    return c.html(eventsPage({ ...deps, user, tenant, received, refused: deps.events.refused, now: deps.now() }));
  });

  // Pages listen here and fetch themselves again when something came.
  app.get("/live", (c) => {
    if (deps.events.listeners >= LIVE_PAGES_MAX) return c.text("too many live pages", 503);
    return streamSSE(c, async (stream) => {
      const ended = Promise.withResolvers<void>();
      const stop = deps.events.listen((tenant) => void stream.writeSSE({ data: tenant ?? "" }), ended.resolve);
      const ping = setInterval(() => void stream.write(": ping\n\n"), LIVE_PING_MS);
      stream.onAbort(ended.resolve);
      await stream.writeSSE({ event: "hello", data: "" });
      await ended.promise;
      clearInterval(ping);
      stop();
    });
  });

  app.post("/sign-in", sameOrigin(origin), async (c) => {
    const { user, back } = await c.req.parseBody();
    const id = userOf(typeof user === "string" ? user : undefined).id;
    setCookie(c, COOKIE, id, { httpOnly: true, sameSite: "Lax", path: "/", secure: deps.url.startsWith("https:") });
    return c.redirect(back === "/events" ? "/events" : "/", 303);
  });

  for (const asset of Object.values(deps.assets)) {
    app.get(asset.path, (c) => {
      c.header("content-type", asset.type);
      c.header("cache-control", "public, max-age=31536000, immutable");
      return c.body(asset.body);
    });
  }
  app.get("/favicon.ico", (c) => c.body(null, 204));
  app.get("/healthz", (c) => c.text("ok"));

  app.onError((error, c) => {
    deps.log(`${c.req.method} ${c.req.path}: ${error.message}`);
    const status = error instanceof PatchbayError ? 502 : 500;
    return c.json({ error: status === 502 ? "Patchbay could not be reached" : "something went wrong" }, status);
  });
  return app;
}
