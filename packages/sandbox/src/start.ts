import { randomUUID } from "node:crypto";
import { type Server } from "node:http";
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import type { ShopifyControl } from "./shopify/control/index.ts";
import { createShopify, type Shopify } from "./shopify/index.ts";
import type { Env } from "./shopify/http/env.ts";
import type { Clock } from "./shopify/world.ts";
import { Keeper } from "./state-file.ts";

export interface SandboxOptions {
  /** 0 or left out: any free port. */
  readonly port?: number;
  readonly host?: "127.0.0.1";
  /** Drives token lifetimes, throttling and webhook retries; the machine's clock by default. */
  readonly clock?: Clock;
  /** The same seed gives the same stores. */
  readonly seed?: number;
  /** Sizes of each store; small ones make quick tests. The hard cases are there at any size. */
  readonly orders?: number;
  readonly products?: number;
  readonly customers?: number;
  readonly log?: (line: string) => void;
  /** Where stores, installations and subscriptions are kept over restarts; in memory only when left out. */
  readonly stateFile?: string;
}

export interface Sandbox {
  /** Without a slash at the end: `http://localhost:4403`. */
  readonly url: string;
  readonly port: number;
  readonly shopify: ShopifyControl;
  close(): Promise<void>;
}

/** Starts the emulated providers on this machine. */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const log = options.log ?? (() => undefined);
  const keeper = new Keeper(options.stateFile ?? null, log);
  const { orders, products, customers } = options;
  const shopify = createShopify({
    clock: options.clock ?? { now: () => new Date() },
    seed: options.seed ?? 1,
    sizes: {
      ...(orders === undefined ? {} : { orders }),
      ...(products === undefined ? {} : { products }),
      ...(customers === undefined ? {} : { customers }),
    },
    log,
    restored: keeper.read(),
    changed: () => keeper.schedule(shopify.state),
  });
  const server = await listen(appFor(shopify, log), options.port ?? 0, options.host ?? "127.0.0.1");
  const port = portOf(server);
  log(`sandbox ready at http://localhost:${port}`);
  return {
    url: `http://localhost:${port}`,
    port,
    shopify: shopify.control,
    close: async () => {
      await stop(server);
      await shopify.close();
      keeper.close(shopify.state);
    },
  };
}

/** A host name `{shop}.myshopify.com` is another way to write the prefix `/_shops/{shop}.myshopify.com`. */
function appFor(shopify: Shopify, log: (line: string) => void): Hono<Env> {
  const app = new Hono<Env>({
    getPath: (request) => {
      const { hostname, pathname } = new URL(request.url);
      const isShort = hostname.endsWith(".myshopify.com") && !pathname.startsWith("/_shops/");
      const path = isShort ? `/_shops/${hostname}${pathname}` : pathname;
      // A store's own root ends in a slash, like that of any site.
      return path.length > 1 ? path.replace(/\/$/, "") : path;
    },
  });
  app.use(async (c, next) => {
    c.header("X-Request-Id", randomUUID());
    c.header("X-Content-Type-Options", "nosniff");
    if (isForeignPost(c.req.method, c.req.header("Origin"), c.req.url, c.req.path))
      return c.text("cross-site request refused", 403);
    return next();
  });
  app.route("/", shopify.routes);
  app.notFound((c) => c.json({ errors: "Not Found" }, 404));
  app.onError((error, c) => {
    log(`${c.req.method} ${c.req.path} failed: ${error.stack ?? error.message}`);
    const requestId = c.res.headers.get("X-Request-Id") ?? "unknown";
    const message = `Internal error. Looks like something went wrong on our end.\nRequest ID: ${requestId} (include this in support requests).`;
    return c.json({ errors: [{ message, extensions: { code: "INTERNAL_SERVER_ERROR", requestId } }] }, 500);
  });
  return app;
}

/** A page of another site must not press the control page's buttons in this browser. */
function isForeignPost(method: string, origin: string | undefined, url: string, path: string): boolean {
  if (method !== "POST" || origin === undefined || !/\/(_control|control)(\/|$)/.test(path)) return false;
  return !URL.canParse(origin) || new URL(origin).host !== new URL(url).host;
}

function listen(app: Hono<Env>, port: number, hostname: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch: app.fetch, port, hostname }, () => resolve(server as Server));
    server.once("error", reject);
  });
}

function stop(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.close((error) => (error ? reject(error) : resolve()));
    server.closeAllConnections();
  });
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the sandbox listens on no port");
  return address.port;
}
