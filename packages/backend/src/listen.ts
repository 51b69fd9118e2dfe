import { serve } from "@hono/node-server";
import type { Server } from "node:http";
import { PatchbayStartError } from "./start-error.ts";

/** Slow senders are cut off: they would hold connections for minutes by Node's own defaults. */
const SERVER_OPTIONS = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 1_000,
  maxHeaderSize: 16_384,
  keepAliveTimeout: 65_000,
};

/** Serves `fetch` over HTTP. @throws PatchbayStartError when the port is taken */
export function listen(
  fetch: Parameters<typeof serve>[0]["fetch"],
  { host, port }: { readonly host: string; readonly port: number },
): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch, port, hostname: host, serverOptions: SERVER_OPTIONS }, () =>
      resolve(server as Server),
    );
    server.once("error", (error: NodeJS.ErrnoException) => {
      const inUse = error.code === "EADDRINUSE";
      reject(
        inUse
          ? new PatchbayStartError(`Port ${port} is in use by another program; set PATCHBAY_PORT to a free one.`)
          : error,
      );
    });
  });
}
