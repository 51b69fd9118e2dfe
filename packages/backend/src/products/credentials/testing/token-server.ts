import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

/** One request to the token endpoint, as it arrived. */
export interface TokenRequest {
  readonly contentType: string;
  readonly form: URLSearchParams;
}

/** What the server does with a request: an answer, or silence after it was carried out. */
export type TokenReply =
  | {
      readonly status: number;
      readonly body: string;
      readonly contentType?: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  | "drop";

export interface TokenServer extends AsyncDisposable {
  readonly origin: string;
  readonly requests: TokenRequest[];
  /** Replaces how requests are answered. */
  answer(reply: (request: TokenRequest, count: number) => TokenReply | Promise<TokenReply>): void;
}

/** A token endpoint over real HTTP whose answers a test decides. */
export async function startTokenServer(): Promise<TokenServer> {
  const requests: TokenRequest[] = [];
  let reply: (request: TokenRequest, count: number) => TokenReply | Promise<TokenReply> = () => pair(1);

  async function handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const contentType = incoming.headers["content-type"] ?? "";
    const form = new URLSearchParams(contentType.includes("json") ? JSON.parse(text) : text);
    const request = { contentType, form };
    requests.push(request);
    const decided = await reply(request, requests.length);
    if (decided === "drop") {
      incoming.socket.destroy();
      return;
    }
    response.writeHead(decided.status, {
      "content-type": decided.contentType ?? "application/json",
      ...decided.headers,
    });
    response.end(decided.body);
  }

  const server = createServer((incoming, response) => void handle(incoming, response)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the token server has no port");
  return {
    origin: `http://127.0.0.1:${address.port}`,
    requests,
    answer: (next) => {
      reply = next;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** A complete pair whose tokens carry `serial`, as Shopify answers: no `token_type`. */
export function pair(serial: number, changes: Readonly<Record<string, unknown>> = {}): TokenReply {
  const body = {
    access_token: `access_${serial}`,
    scope: "read_customers,read_orders",
    expires_in: 3600,
    refresh_token: `refresh_${serial}`,
    refresh_token_expires_in: 7_776_000,
    ...changes,
  };
  return { status: 200, body: JSON.stringify(body) };
}

export const REFUSED: TokenReply = {
  status: 401,
  body: JSON.stringify({
    error: "invalid_request",
    error_description: "This request requires an active refresh_token",
  }),
};
