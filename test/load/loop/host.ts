import { Patchbay } from "@patchbay/node";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";

/** A host's own server: it verifies what it gets with the SDK, and says when. */
export interface Host {
  readonly origin: string;
  readonly webhookUrl: string;
  /** Known after the endpoint is made. */
  useSecret(secret: string): void;
  /** When the event about the object with this id of the provider was verified; rejects after `deadlineMs`. */
  verified(remoteId: string, deadlineMs: number): Promise<number>;
  close(): Promise<void>;
}

export async function startHost(): Promise<Host> {
  const { webhooks } = new Patchbay({ apiKey: "pb_test_unused" });
  const verifiedMs = new Map<string, number>();
  const waiting = new Map<string, (atMs: number) => void>();
  let secret = "";

  async function receive(request: IncomingMessage): Promise<number> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const event = await webhooks.unwrap(Buffer.concat(chunks), request.headers, secret);
    const atMs = performance.now();
    if (event.type !== "order.created") return 200;
    const { remoteId } = event.data.ref;
    verifiedMs.set(remoteId, atMs);
    waiting.get(remoteId)?.(atMs);
    return 200;
  }

  const server = createServer((request, response) => {
    receive(request).then(
      (status) => response.writeHead(status).end(),
      () => response.writeHead(400).end(),
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the system gave no port");
  const origin = `http://127.0.0.1:${address.port}`;
  return {
    origin,
    webhookUrl: `${origin}/webhooks/patchbay`,
    useSecret(given) {
      secret = given;
    },
    async verified(remoteId, deadlineMs) {
      const known = verifiedMs.get(remoteId);
      if (known !== undefined) return known;
      const timeout = AbortSignal.timeout(deadlineMs);
      return new Promise((resolve, reject) => {
        waiting.set(remoteId, resolve);
        timeout.addEventListener("abort", () => reject(new Error(`order ${remoteId} did not arrive`)), { once: true });
      });
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
