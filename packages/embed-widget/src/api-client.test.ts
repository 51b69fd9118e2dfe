/// <reference types="node" />
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type ApiClient, createApiClient } from "./api-client.ts";
import type { TokenReason } from "./types.ts";

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

describe("the API client", () => {
  let server: Server;
  let seen: Seen[];
  let answer: (request: Seen, response: ServerResponse) => void;
  let reasons: TokenReason[];
  let tokens: string[];
  let api: ApiClient;
  const gone = new AbortController();

  beforeEach(async () => {
    [seen, reasons, tokens] = [[], [], ["first", "second", "third"]];
    answer = (_request, response) => json(response, 200, {});
    server = createServer((request, response) => {
      void text(request).then((body) => {
        const one = { method: request.method ?? "", url: request.url ?? "", headers: request.headers, body };
        seen.push(one);
        answer(one, response);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    api = createApiClient({
      apiBase: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      fetch,
      signal: gone.signal,
      fetchSessionToken: async ({ reason }) => {
        reasons.push(reason);
        return tokens.shift() ?? "";
      },
    });
  });

  afterEach(() => {
    server.close();
    server.closeAllConnections();
  });

  const refuseUnless = (good: string): void => {
    answer = (request, response) =>
      request.headers.authorization === `Bearer ${good}` || request.body === JSON.stringify({ token: good })
        ? json(response, 200, { parameters: {} })
        : json(response, 401, { code: "session_expired", requestId: "req_1" });
  };

  test("loads the session by a request that needs no preflight, with the token in the body alone", async () => {
    await api.loadSession("init");
    expect(seen[0]).toMatchObject({ method: "POST", url: "/connect/v1/session", body: '{"token":"first"}' });
    expect(seen[0]?.headers["content-type"]).toBe("text/plain");
    expect(seen[0]?.headers.authorization).toBeUndefined();
  });

  test("sends the token in the header afterwards, and never in an address", async () => {
    await api.loadSession("init");
    await api.authorization("auth_1");
    expect(seen[1]?.headers.authorization).toBe("Bearer first");
    expect(seen.map(({ url }) => url).join()).not.toContain("first");
  });

  test("asks the host once for a new token when the old one expired, and repeats the request", async () => {
    refuseUnless("second");
    await expect(api.resolve("shopify", { shop: "acme" })).resolves.toEqual({});
    expect(reasons).toEqual(["init", "expired"]);
    expect(seen.map(({ body }) => body)).toEqual([seen[0]?.body, seen[0]?.body]);
  });

  test("asks the host once for many requests that expired together", async () => {
    await api.loadSession("init");
    refuseUnless("second");
    await Promise.all([api.authorization("a"), api.authorization("b"), api.connection("c")]);
    expect(reasons).toEqual(["init", "expired"]);
  });

  test("gives up when the new token is refused as well", async () => {
    refuseUnless("none");
    await expect(api.authorization("auth_1")).rejects.toMatchObject({ code: "session_expired", requestId: "req_1" });
    expect(reasons).toEqual(["init", "expired"]);
  });

  test("asks for another right when the session may not do this", async () => {
    answer = (request, response) =>
      request.headers.authorization === "Bearer second"
        ? json(response, 200, {})
        : json(response, 403, { code: "session_forbidden" });
    await api.connection("conn_1");
    expect(reasons).toEqual(["init", "forbidden"]);
  });

  test("tells the backend's code, request id and wait", async () => {
    answer = (_request, response) =>
      json(response, 429, { code: "rate_limited", requestId: "req_9", retryAfterSeconds: 90 });
    await expect(api.connection("conn_1")).rejects.toMatchObject({
      code: "rate_limited",
      requestId: "req_9",
      retryAfterSeconds: 90,
    });
  });

  test("takes wait and request id from headers where the body has none", async () => {
    answer = (_request, response) => {
      response.setHeader("retry-after", "7");
      response.setHeader("x-request-id", "req_h");
      json(response, 503, {});
    };
    await expect(api.connection("conn_1")).rejects.toMatchObject({
      code: "unknown",
      requestId: "req_h",
      retryAfterSeconds: 7,
    });
  });

  test("tells a backend that answers no JSON from one that cannot be reached", async () => {
    answer = (_request, response) => response.end("<h1>hello</h1>");
    await expect(api.connection("conn_1")).rejects.toMatchObject({ code: "unknown" });
    server.close();
    server.closeAllConnections();
    await expect(api.connection("conn_1")).rejects.toMatchObject({ code: "network" });
  });

  test("refuses a host that answers no token", async () => {
    tokens = [];
    await expect(api.loadSession("init")).rejects.toMatchObject({ code: "unknown" });
    expect(seen).toEqual([]);
  });

  test("accepts an answer without a body", async () => {
    answer = (_request, response) => response.writeHead(204).end();
    await expect(api.changeConnection("conn_1", "disconnect")).resolves.toBeUndefined();
    await api.changeConnection("conn_1", "sync");
    expect(seen.map(({ method, url }) => `${method} ${url}`)).toEqual([
      "DELETE /connect/v1/connections/conn_1",
      "POST /connect/v1/connections/conn_1/runs",
    ]);
  });
});

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}
