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
  /** Deliveries that come from now on are taken and not answered, until the function that this returns is called. */
  hold(): () => void;
  /** What it answers from now on; 204 at first. */
  answer(status: number): void;
  readonly receipts: readonly Receipt[];
  /** Deliveries whose signature did not fit: must stay 0. */
  readonly forged: number;
  /** Ids acted on, each once: what a host does that drops ids it has seen. */
  readonly acted: readonly string[];
  close(): Promise<void>;
}

const BODY_BYTES_MAX = 1024 * 1024;

/** @param through what stands between it and the product, such as a proxy, by default nothing */
export async function startReceiver(through = async (port: number) => port): Promise<Receiver> {
  const receipts: Receipt[] = [];
  const bound = new Map<string, { readonly id: string; readonly webhook: Webhook }>();
  const seen = new Set<string>();
  const acted: string[] = [];
  let forged = 0;
  let slownessMs = 0;
  let gate: Promise<void> = Promise.resolve();
  let status = 204;

  async function take(request: IncomingMessage): Promise<number> {
    const endpoint = bound.get(request.url ?? "");
    const body = await readBody(request);
    if (endpoint === undefined) return 404;
    const eventId = String(request.headers["webhook-id"]);
    const bodyHash = createHash("sha256").update(body).digest("base64url");
    const receipt = { endpointId: endpoint.id, eventId, atMs: Date.now(), bodyHash, ...toldBy(body) };
    const verified = verifies(endpoint.webhook, body, headersOf(request));
    if (!verified) forged += 1;
    const answer = verified ? status : 400;
    receipts.push({ ...receipt, ok: answer < 300 });
    if (answer >= 300) return answer;
    const key = `${endpoint.id} ${eventId}`;
    if (!seen.has(key)) acted.push(key);
    seen.add(key);
    await delay(slownessMs);
    await gate;
    return answer;
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
  const origin = `http://localhost:${await through(address.port)}`;
  return {
    origin,
    urlOf: (name) => `${origin}/${name}`,
    bind: (name, { id, secret }) => bound.set(`/${name}`, { id, webhook: new Webhook(secret) }),
    slowness: (ms) => {
      slownessMs = ms;
    },
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>();
      gate = promise;
      return () => {
        if (gate === promise) gate = Promise.resolve();
        resolve();
      };
    },
    answer: (next) => {
      status = next;
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

function verifies(webhook: Webhook, body: string, headers: Record<string, string>): boolean {
  try {
    webhook.verify(body, headers);
    return true;
  } catch {
    return false;
  }
}

/** The product's own words. */
function toldBy(body: string): Pick<Receipt, "tenant" | "effect"> {
  const event = JSON.parse(body) as Told;
  const { object } = event.data;
  const effect = object?.version === undefined ? null : `version ${object.version} of ${object.id}`;
  return { tenant: event.tenantId, effect };
}

interface Told {
  readonly tenantId: string | null;
  readonly data: { readonly object?: { readonly id: string; readonly version?: number } };
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
