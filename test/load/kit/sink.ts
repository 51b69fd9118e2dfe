import { Patchbay } from "@patchbay/node";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Receipt, SinkOrder } from "./start-sink.ts";

/**
 * A process of its own: a host's server that verifies every delivery with the SDK and notes when. `/dead…` answers 500,
 * `/slow…` thinks for a while, everything else takes what comes.
 */
const SLOW_MS = 100;
const { webhooks } = new Patchbay({ apiKey: "pb_test_unused" });
const secrets = new Map<string, string>();
let receipts: Receipt[] = [];

async function receive(request: IncomingMessage): Promise<number> {
  const path = request.url ?? "";
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  if (path.startsWith("/dead")) return 500;
  const event = await webhooks.unwrap(Buffer.concat(chunks), request.headers, secrets.get(path) ?? "");
  const atMs = performance.timeOrigin + performance.now();
  const { object } = event.data as { readonly object?: { readonly remoteId?: string } };
  receipts.push({ path, eventId: event.id, tenantId: event.tenantId, remoteId: object?.remoteId ?? null, atMs });
  if (path.startsWith("/slow")) await new Promise((resolve) => setTimeout(resolve, SLOW_MS));
  return 204;
}

const server = createServer((request: IncomingMessage, response: ServerResponse) => {
  receive(request).then(
    (status) => response.writeHead(status).end(),
    () => response.writeHead(400).end(),
  );
});
server.listen(0, "127.0.0.1");
await once(server, "listening");
const address = server.address();
if (address === null || typeof address === "string") throw new Error("the system gave no port");
process.on("message", (order: SinkOrder) => {
  if (order.kind === "bind") secrets.set(order.path, order.secret);
  else {
    process.send?.(order.kind === "count" ? receipts.length : receipts);
    if (order.kind === "take") receipts = [];
  }
});
process.send?.(`http://localhost:${address.port}`);
