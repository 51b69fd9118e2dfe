import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";

/** What a fake key service does in place of its work. */
export type Fault = "none" | "status503" | "slow" | "reset" | "denied" | "endless" | "ignoresContext";

export interface FakeAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** A key service of one's own: versions that can be disabled, faults that can be set, calls that are counted. */
export interface FakeService extends AsyncDisposable {
  readonly url: string;
  readonly calls: number;
  set(fault: Fault): void;
  disable(version: string): void;
}

export interface FakeVersions {
  /** Adds a version; the last one added is the newest. */
  add(name: string): void;
  newest(): string;
  isDisabled(name: string): boolean;
  seal(name: string, plain: Uint8Array, context: Uint8Array): Buffer;
  /** @returns `null` when it was sealed under another version or context, or changed */
  open(name: string, sealed: Uint8Array, context: Uint8Array): Buffer | null;
}

/** Longer than any deadline that tests set. */
const SLOW_MS = 5_000;
const ENDLESS_BYTES = 1_000_000;
const REQUEST_BYTES_MAX = 64 * 1024;

export async function startFakeService(
  answer: (
    request: { url: string; headers: IncomingMessage["headers"]; body: string },
    versions: FakeVersions,
  ) => FakeAnswer,
  denied: FakeAnswer,
): Promise<FakeService & { readonly versions: FakeVersions }> {
  let fault: Fault = "none";
  let calls = 0;
  const stop = new AbortController();
  const keys = new Map<string, Buffer>();
  const disabled = new Set<string>();
  const keyOf = (name: string) => keys.get(name) ?? Buffer.alloc(32);
  const bound = (context: Uint8Array) => (fault === "ignoresContext" ? Buffer.alloc(0) : context);
  const versions: FakeVersions = {
    add: (name) => keys.set(name, randomBytes(32)),
    newest: () => [...keys.keys()].at(-1) ?? "",
    isDisabled: (name) => disabled.has(name),
    seal(name, plain, context) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv("aes-256-gcm", keyOf(name), nonce).setAAD(bound(context));
      return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
    },
    open(name, sealed, context) {
      try {
        const decipher = createDecipheriv("aes-256-gcm", keyOf(name), sealed.subarray(0, 12)).setAAD(bound(context));
        decipher.setAuthTag(sealed.subarray(-16));
        return Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()]);
      } catch {
        return null;
      }
    },
  };

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    calls += 1;
    const body = await readBody(request);
    if (fault === "reset") return void request.socket.destroy();
    if (fault === "slow") await delay(SLOW_MS, undefined, { signal: stop.signal }).catch(() => {});
    if (fault === "status503")
      return send(response, { status: 503, body: { errors: ["a secret word of the service"] } });
    if (fault === "denied") return send(response, denied);
    if (fault === "endless") return void response.end(`"${"x".repeat(ENDLESS_BYTES)}"`);
    send(response, answer({ url: request.url ?? "", headers: request.headers, body }, versions));
  }

  const server = createServer((request, response) => void handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    get calls() {
      return calls;
    },
    versions,
    set: (next) => (fault = next),
    disable: (version) => void disabled.add(version),
    async [Symbol.asyncDispose]() {
      stop.abort();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function send(response: ServerResponse, { status, body }: FakeAnswer): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    if (!(chunk instanceof Uint8Array) || (bytes += chunk.byteLength) > REQUEST_BYTES_MAX) break;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
