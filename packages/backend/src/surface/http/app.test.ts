import { Problem, type ApiKeyId, type WorkspaceId } from "@patchbay/shared";
import type { Hono } from "hono";
import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import type { Audit } from "../../domain/audit/index.ts";
import { createLogger } from "../../platform/observability/index.ts";
import { Secret, systemClock } from "../../platform/runtime/index.ts";
import { createApp } from "./app.ts";
import { defineRoute } from "./define-route.ts";
import type { HttpEnv } from "./env.ts";

const Thing = z.strictObject({ name: z.string().min(2).optional(), nested: z.unknown().optional() });

const silentAudit: Audit = {
  writer: async () => ({ append: async () => {} }),
  record: async () => {},
  person: async () => "usr_x",
};

function anApp(given: { readonly publicUrl?: string; readonly audit?: Audit } = {}): {
  readonly app: Hono<HttpEnv>;
  readonly lines: string[];
} {
  const { publicUrl = "http://localhost:4400" } = given;
  const lines: string[] = [];
  const put = defineRoute(
    {
      method: "put",
      path: "/v1/things/{id}",
      summary: "Put a thing",
      tag: "Things",
      scope: "tenants:write",
      request: {
        params: z.strictObject({ id: z.string().max(5) }),
        query: z.strictObject({ limit: z.coerce.number().int().max(10).optional() }),
        body: Thing,
      },
      responses: { 200: Thing },
    },
    async (c, { params, body }) => {
      if (params.id === "bug") throw new Error("secret detail of a bug");
      return c.json(body);
    },
  );
  const app = createApp({
    log: createLogger("info", { write: (line) => lines.push(line) }),
    authenticate: async (key) =>
      key === "pb_good" || key === "pb_narrow"
        ? {
            workspaceId: randomUUID() as WorkspaceId,
            mode: "test",
            keyId: randomUUID() as ApiKeyId,
            scopes: key === "pb_good" ? ["tenants:write"] : ["tenants:read"],
            allowedNetworks: [],
            expiresAt: null,
          }
        : null,
    operatorToken: new Secret("o".repeat(40)),
    idempotency: async (_, next) => next(),
    connectGuard: async (_, next) => next(),
    routes: [{ audience: "api", route: put }],
    mounts: [],
    publicUrl,
    clock: systemClock,
    trustedProxies: [],
    audit: given.audit ?? silentAudit,
    tenantOf: async () => null,
    workspaceExists: async () => true,
    version: "1",
  });
  return { app, lines };
}

interface Sent {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: BodyInit | null;
}

async function send({ method = "PUT", path = "/v1/things/a", headers = {}, body = "{}" }: Sent = {}) {
  const { app, lines } = anApp();
  const response = await app.request(path, {
    method,
    headers: { authorization: "Bearer pb_good", "content-type": "application/json", ...headers },
    body: method === "GET" ? null : body,
    duplex: "half",
  } as RequestInit);
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    json: text === "" ? null : (JSON.parse(text) as unknown),
    lines,
  };
}

const deep = (levels: number) => `{"nested":${"[".repeat(levels - 1)}${"]".repeat(levels - 1)}}`;
const streamed = (bytes: number) =>
  new ReadableStream({
    start(controller) {
      for (let sent = 0; sent < bytes; sent += 65_536) controller.enqueue(new Uint8Array(65_536).fill(0x20));
      controller.close();
    },
  });

describe("the app", () => {
  test("takes a good request", async () => {
    expect(await send({ body: '{"name":"ab"}' })).toMatchObject({ status: 200, json: { name: "ab" } });
  });

  test.each<[string, Sent, number, string]>([
    ["an unknown path", { path: "/v2/x" }, 404, "not_found"],
    ["a method that the path does not take", { method: "DELETE", body: null }, 405, "method_not_allowed"],
    ["no key", { headers: { authorization: "" } }, 401, "unauthenticated"],
    ["an unknown key", { headers: { authorization: "Bearer pb_bad" } }, 401, "unauthenticated"],
    ["a key without the scope", { headers: { authorization: "Bearer pb_narrow" } }, 403, "insufficient_scope"],
    ["a body that is no JSON", { body: "{" }, 400, "invalid_request"],
    ["an empty body", { body: "" }, 400, "invalid_request"],
    ["another content type", { headers: { "content-type": "text/plain" } }, 415, "unsupported_media_type"],
    [
      "a content type that only begins like JSON",
      { headers: { "content-type": "application/json-seq" } },
      415,
      "unsupported_media_type",
    ],
    ["a body that is not UTF-8", { body: new Uint8Array([0x22, 0xff, 0x22]) }, 400, "invalid_request"],
    ["a body nested deeper than 64", { body: deep(65) }, 400, "invalid_request"],
    ["a body nested a million deep", { body: "[".repeat(1_000_000) }, 400, "invalid_request"],
    ["a chunked body past the limit", { body: streamed(1_200_000) }, 413, "payload_too_large"],
    ["a __proto__ key", { body: '{"nested":{"__proto__":{"x":1}}}' }, 400, "invalid_request"],
    ["a __proto__ key behind escapes", { body: '{"nested":{"\\u005f_proto__":{"x":1}}}' }, 400, "invalid_request"],
    ["a constructor key in an array", { body: '{"nested":[{"constructor":1}]}' }, 400, "invalid_request"],
    ["a text with a NUL", { body: '{"name":"a\\u0000b"}' }, 400, "invalid_request"],
    ["half a surrogate pair", { body: '{"name":"ab\\ud800"}' }, 400, "invalid_request"],
    ["a NUL in the address", { path: "/v1/things/%00" }, 400, "invalid_request"],
    ["a path parameter that does not fit", { path: "/v1/things/toolong" }, 400, "invalid_request"],
    ["broken percent encoding", { path: "/v1/things/%E0%A4%A" }, 400, "invalid_request"],
    ["a bug", { path: "/v1/things/bug" }, 500, "internal"],
  ])("answers %s with a problem", async (_, sent, status, code) => {
    const answer = await send(sent);
    expect(answer).toMatchObject({ status, json: { status, code } });
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    const problem = Problem.parse(answer.json);
    expect(problem.requestId).toBe(answer.headers.get("x-request-id"));
  });

  test("takes what only looks forbidden: 64 levels, brackets and such words inside texts", async () => {
    expect(await send({ body: deep(64) })).toMatchObject({ status: 200 });
    const name = `${"[".repeat(100)}"__proto__": \\`;
    expect(await send({ body: JSON.stringify({ name }) })).toMatchObject({ status: 200, json: { name } });
  });

  test("names the field that did not fit, wherever it was", async () => {
    expect(await send({ body: '{"name":"a"}' })).toMatchObject({ json: { errors: [{ path: "name" }] } });
    expect(await send({ path: "/v1/things/a?limit=11" })).toMatchObject({
      json: { errors: [{ path: "query.limit" }] },
    });
    expect(await send({ path: "/v1/things/toolong" })).toMatchObject({ json: { errors: [{ path: "path.id" }] } });
  });

  test("tells which methods a path takes", async () => {
    expect((await send({ method: "DELETE", body: null })).headers.get("allow")).toBe("PUT");
  });

  test("keeps a bug's message from the caller and tells the log", async () => {
    const { json, lines } = await send({ path: "/v1/things/bug" });
    expect(JSON.stringify(json)).not.toContain("secret detail");
    expect(lines.join("")).toContain("secret detail");
  });

  test("puts security headers on every answer, errors too", async () => {
    for (const path of ["/v1/things/a", "/nowhere", "/openapi.json"]) {
      const { headers } = await send({ path });
      expect(headers.get("x-content-type-options"), path).toBe("nosniff");
      expect(headers.get("referrer-policy"), path).toBe("no-referrer");
      expect(headers.get("content-security-policy"), path).toContain("frame-ancestors 'none'");
    }
  });

  test("asks for TLS where browsers come by TLS", async () => {
    const secure = await anApp({ publicUrl: "https://patchbay.example.com" }).app.request("/nowhere");
    expect(secure.headers.get("strict-transport-security")).toContain("max-age=31536000");
    expect((await anApp().app.request("/nowhere")).headers.has("strict-transport-security")).toBe(false);
  });

  test("logs the route, not the address", async () => {
    const { lines } = await send({ path: "/v1/things/a?limit=1" });
    expect(lines.join("")).toContain("/v1/things/:id");
    expect(lines.join("")).not.toContain("limit=1");
  });
});
