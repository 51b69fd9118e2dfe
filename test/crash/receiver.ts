import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { Webhook } from "standardwebhooks";
import type { Receipt } from "./history.ts";

/** A host that takes deliveries, each endpoint under a path of its own. */
export interface Receiver {
  readonly origin: string;
  urlOf(name: string): string;
  /** From now on deliveries to this path belong to this endpoint and must carry its signature. */
  bind(name: string, endpoint: { readonly id: string; readonly secret: string }): void;
  /** How long it thinks before it answers. */
  slowness(ms: number): void;
  readonly receipts: readonly Receipt[];
  /** Deliveries whose signature did not fit: must stay 0. */
  readonly forged: number;
  /** Ids acted on, each once: what a host does that drops ids it has seen. */
  readonly acted: readonly string[];
  close(): Promise<void>;
}

const BODY_BYTES_MAX = 1024 * 1024;

export async function startReceiver(): Promise<Receiver> {
  const receipts: Receipt[] = [];
  const bound = new Map<string, { readonly id: string; readonly webhook: Webhook }>();
  const seen = new Set<string>();
  const acted: string[] = [];
  let forged = 0;
  let slownessMs = 0;

  async function take(request: IncomingMessage): Promise<number> {
    const endpoint = bound.get(request.url ?? "");
    const body = await readBody(request);
    if (endpoint === undefined) return 404;
    const eventId = String(request.headers["webhook-id"]);
    try {
      endpoint.webhook.verify(body, headersOf(request));
    } catch {
      forged += 1;
      return 400;
    }
    const bodyHash = createHash("sha256").update(body).digest("base64url");
    receipts.push({ endpointId: endpoint.id, eventId, atMs: Date.now(), ok: true, bodyHash });
    const key = `${endpoint.id} ${eventId}`;
    if (!seen.has(key)) acted.push(key);
    seen.add(key);
    await delay(slownessMs);
    return 204;
  }

  const server = createServer((request, response) => {
    take(request).then(
      (status) => response.writeHead(status).end(),
      () => response.destroy(),
    );
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the receiver listens on no port");
  const origin = `http://localhost:${address.port}`;
  return {
    origin,
    urlOf: (name) => `${origin}/${name}`,
    bind: (name, { id, secret }) => bound.set(`/${name}`, { id, webhook: new Webhook(secret) }),
    slowness: (ms) => {
      slownessMs = ms;
    },
    receipts,
    get forged() {
      return forged;
    },
    acted,
    close: async () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) throw new Error("a delivery too large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function headersOf(request: IncomingMessage): Record<string, string> {
  return Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
}
