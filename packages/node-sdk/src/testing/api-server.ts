import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import { type Runtime, systemRuntime } from "../runtime.ts";
import { Transport } from "../transport.ts";

export interface ReceivedRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export type Answer = (request: ReceivedRequest, response: ServerResponse) => void;

export interface ApiServer extends AsyncDisposable {
  readonly baseUrl: string;
  readonly requests: readonly ReceivedRequest[];
}

/** A real HTTP server that gives `answers` in turn; the last one again and again. */
export async function apiServer(...answers: Answer[]): Promise<ApiServer> {
  const requests: ReceivedRequest[] = [];
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      const { method = "", url = "", headers } = incoming;
      const request = { method, url, headers, body: Buffer.concat(chunks).toString() };
      const answer = answers[Math.min(requests.length, answers.length - 1)];
      requests.push(request);
      answer?.(request, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    baseUrl: `http://127.0.0.1:${address.port}`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export function json(body: unknown, status = 200, headers: Record<string, string> = {}): Answer {
  return (_request, response) => {
    response.writeHead(status, { "content-type": "application/json", "x-request-id": "req_1", ...headers });
    response.end(JSON.stringify(body));
  };
}

export function problem(status: number, code: string, retriable: boolean, more: object = {}): Answer {
  const body = { type: "about:blank", title: code, status, code, detail: `detail of ${code}`, requestId: "req_9" };
  return json({ ...body, retriable, ...more }, status, { "content-type": "application/problem+json" });
}

/** Never answers. */
export const silence: Answer = () => undefined;

/** Closes the socket without a word. */
export const hangUp: Answer = (_request, response) => {
  response.destroy();
};

export interface TestRuntime extends Runtime {
  readonly sleeps: readonly number[];
}

/** The real network with a clock that stands still, chance that is always one half, and waits that only get noted. */
export function testRuntime(overrides: Partial<Runtime> = {}): TestRuntime {
  const sleeps: number[] = [];
  let uuids = 0;
  return {
    ...systemRuntime,
    now: () => Date.UTC(2026, 0, 1),
    random: () => 0.5,
    uuid: () => `uuid-${++uuids}`,
    sleep: async (ms) => void sleeps.push(ms),
    deadline: () => new AbortController().signal,
    ...overrides,
    sleeps,
  };
}

export function testTransport(server: ApiServer, runtime: Runtime = testRuntime(), maxRetries = 2): Transport {
  return new Transport({ apiKey: "pb_test_key", baseUrl: server.baseUrl, timeoutMs: 60_000, maxRetries }, runtime);
}
