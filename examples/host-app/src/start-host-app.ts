import { serve } from "@hono/node-server";
import { Patchbay } from "@patchbay/node";
import { createApp } from "./app.ts";
import { TENANTS } from "./demo.ts";
import { EventLog } from "./event-log.ts";
import { OrderBook } from "./order-book.ts";
import { readAssets } from "./read-assets.ts";
import { subscribe } from "./subscribe.ts";

export interface HostAppOptions {
  /** 0: any free one. */
  readonly port: number;
  readonly patchbayUrl: string;
  readonly apiKey: string;
  /** How browsers and Patchbay reach this app; default `http://localhost:<port>`. */
  readonly publicUrl?: string | undefined;
  readonly log?: ((line: string) => void) | undefined;
}

export interface HostApp {
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Starts Tideline: makes its tenants, subscribes to events, and serves its pages.
 *
 * @throws PatchbayError when Patchbay cannot be reached or refuses the key
 */
export async function startHostApp(options: HostAppOptions): Promise<HostApp> {
  const log = options.log ?? (() => undefined);
  const patchbay = new Patchbay({ apiKey: options.apiKey, baseUrl: options.patchbayUrl });
  const events = new EventLog();
  const orders = new OrderBook(patchbay);
  const assets = await readAssets();
  // Known when the port is; requests that come earlier get a 503.
  let app: ReturnType<typeof createApp> | undefined;

  const starting = Promise.withResolvers<number>();
  const server = serve(
    {
      fetch: (request, env) => app?.fetch(request, env) ?? new Response("starting", { status: 503 }),
      port: options.port,
      hostname: "127.0.0.1",
    },
    (info) => starting.resolve(info.port),
  );
  server.once("error", starting.reject);
  const port = await starting.promise;
  const url = (options.publicUrl ?? `http://localhost:${port}`).replace(/\/+$/, "");

  async function close(): Promise<void> {
    events.close();
    if ("closeAllConnections" in server) server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  try {
    for (const tenant of TENANTS) await patchbay.tenants.upsert({ id: tenant.id, name: tenant.name });
    const webhookSecret = await subscribe(patchbay, `${url}/webhooks/patchbay`);
    const patchbayOrigin = new URL(options.patchbayUrl).origin;
    app = createApp({
      patchbay,
      events,
      orders,
      assets,
      webhookSecret,
      patchbayOrigin,
      url,
      log,
      now: () => new Date(),
    });
  } catch (error) {
    await close();
    throw error;
  }
  return { url, port, close };
}
