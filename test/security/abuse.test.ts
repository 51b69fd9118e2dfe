/** Requests that no client of good will sends: the API refuses them in its own words and keeps serving. */
import { Problem } from "@patchbay/shared";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestProduct, type TestProduct, type TestWorkspace } from "../harness/product.ts";
import { ORIGIN, jsonOf, send, withKey, withSession, type Answer } from "./http.ts";
import { sendRaw } from "./raw-http.ts";
import { mintSession } from "./world.ts";

let product: TestProduct;
let workspace: TestWorkspace;
let key: Readonly<Record<string, string>>;
beforeAll(async () => {
  product = await startTestProduct({ roles: { api: true, worker: false } });
  workspace = await product.addWorkspace();
  await workspace.sdk.tenants.upsert({ id: "acme" });
  key = withKey(workspace.apiKey);
}, 60_000);
afterAll(() => product.close());

const MIB = 1024 * 1024;

describe("a body", () => {
  const chunked = (bytes: number) =>
    new ReadableStream({
      start(controller) {
        for (let sent = 0; sent < bytes; sent += 65_536) controller.enqueue(new Uint8Array(65_536).fill(0x20));
        controller.close();
      },
    });
  const cases: readonly (readonly [string, () => BodyInit, number])[] = [
    ["above 1 MiB", () => `{"name":"${"a".repeat(MIB)}"}`, 413],
    ["above 1 MiB without a length", () => chunked(2 * MIB), 413],
    ["of 64 MiB without a length", () => chunked(64 * MIB), 413],
    ["a million levels deep", () => "[".repeat(1_000_000), 400],
    ["a million levels deep in objects", () => '{"a":'.repeat(200_000), 400],
    ["that is not UTF-8", () => Uint8Array.from([0x7b, 0x22, 0xc3, 0x28, 0x22, 0x3a, 0x31, 0x7d]), 400],
    ["with half a surrogate pair", () => String.raw`{"name":"\ud800"}`, 400],
    ["with a NUL", () => String.raw`{"name":"\u0000"}`, 400],
    ["with __proto__", () => '{"__proto__":{"name":"x"}}', 400],
    ["with __proto__ in escapes", () => String.raw`{"\u005f_proto__":{"name":"x"}}`, 400],
    ["with constructor deeper down", () => '{"metadata":{"constructor":"x"}}', 400],
    ["that ends early", () => '{"name":', 400],
    ["of two documents", () => "{}{}", 400],
    ["with 100,000 members", () => JSON.stringify(Object.fromEntries(members(100_000))).slice(0, MIB), 400],
    ["that is empty", () => "", 400],
  ];
  test.each(cases)("%s is refused", async (label, body, status) => {
    const response = await fetch(`${product.url}/v1/tenants/acme`, {
      method: "PUT",
      headers: { ...key, "content-type": "application/json" },
      body: body(),
      duplex: "half",
    } as RequestInit);
    const answer = { status: response.status, headers: response.headers, text: await response.text() };
    expectProblem(answer, label, status);
    expect(({} as Record<string, unknown>)["name"]).toBeUndefined();
  });

  test("of 1 MiB less a little arrives, with and without a length", async () => {
    const text = JSON.stringify({ name: "Acme" }).padEnd(MIB - 1);
    const stream = new Blob([text]).stream();
    for (const body of [text, stream]) {
      const init = { method: "PUT", headers: { ...key, "content-type": "application/json" }, body, duplex: "half" };
      expect((await fetch(`${product.url}/v1/tenants/acme`, init as RequestInit)).status).toBe(200);
    }
  });

  test.each(["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""])(
    "of type %j is refused where JSON is asked for",
    async (type) => {
      const body = new Blob(['{"name":"x"}']);
      const headers = { ...key, ...(type === "" ? {} : { "content-type": type }) };
      const response = await fetch(`${product.url}/v1/tenants/acme`, { method: "PUT", headers, body });
      expect(response.status).toBe(415);
    },
  );

  test("whose length lies is cut off, and the next request is answered", async () => {
    const head = (length: string) =>
      `PUT /v1/tenants/acme HTTP/1.1\r\nHost: x\r\nAuthorization: ${key["authorization"] ?? ""}\r\n` +
      `Content-Type: application/json\r\nConnection: close\r\n${length}\r\n`;
    const both = await sendRaw(
      product.patchbay.port,
      `${head("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n")}{}`,
    );
    expect(both.status).toBe(400);
    const twice = await sendRaw(product.patchbay.port, `${head("Content-Length: 2\r\nContent-Length: 3\r\n")}{}`);
    expect(twice.status).toBe(400);
    const short = await sendRaw(product.patchbay.port, `${head("Content-Length: 2\r\n")}{}{"name":"smuggled"}`);
    expect(short.text.match(/HTTP\/1\.1 2\d\d/g)?.length ?? 0).toBeLessThanOrEqual(1);
    expect((await workspace.sdk.tenants.retrieve("acme")).name).not.toBe("smuggled");
  });
});

describe("an address or a header", () => {
  test("of 10,000 parameters is refused", async () => {
    const query = Array.from({ length: 10_000 }, (_, n) => `a${n}`).join("&");
    expect([400, 431]).toContain((await list(`?${query}`)).status);
    const fits = Array.from({ length: 5_000 }, () => "a").join("&");
    expectProblem(await list(`?${fits}`), "5,000 parameters", 400);
  });

  test("of 64 KiB is refused", async () => {
    const request = `GET /v1/tenants HTTP/1.1\r\nHost: x\r\nX-Long: ${"a".repeat(65_536)}\r\n\r\n`;
    expect((await sendRaw(product.patchbay.port, request)).status).toBe(431);
    const many = Array.from({ length: 4_000 }, (_, n) => `X-${n}: a`).join("\r\n");
    expect([400, 431]).toContain(
      (await sendRaw(product.patchbay.port, `GET / HTTP/1.1\r\nHost: x\r\n${many}\r\n\r\n`)).status,
    );
  });

  test.each([
    "//v1/tenants",
    "/v1//tenants",
    "/V1/tenants",
    "/v1/tenants/",
    "/v1/tenants;/acme",
    "/v1/./tenants/..%2f..%2fadmin%2fv1%2fworkspaces",
    "/v1/tenants/%2e%2e/runs",
    "/v1/tenants/..%5c..%5c",
    "/v1/tenants/%00",
    "/v1/tenants/%",
    "/v1/tenants/%zz",
    "/v1/tenants/%ff%fe",
    "/v1/tenants/%c0%ae%c0%ae",
    "/v1/tenants/acme%0d%0aX-Injected:%20yes",
    "/embed/../../package.json",
    "/embed/..%2f..%2fpackage.json",
    "/docs/..%2f..%2f..%2fpackage.json",
    "/docs/%2e%2e/%2e%2e/package.json",
    "http://evil.example/v1/tenants",
    "*",
    `/${"a/".repeat(2_000)}`,
  ])("%s without a key leads to nothing", async (path) => {
    const answer = await sendRaw(product.patchbay.port, `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    expect([400, 401, 404]).toContain(answer.status);
    expect(answer.text).not.toMatch(/X-Injected: yes\r\n|"dependencies"/);
  });

  test.each(["TRACE", "CONNECT", "OPTIONS", "PROPFIND", "HEAD"])("%s opens nothing", async (method) => {
    const request = `${method} /v1/tenants HTTP/1.1\r\nHost: x\r\nX-Echo: canary\r\nConnection: close\r\n\r\n`;
    const answer = await sendRaw(product.patchbay.port, request);
    expect(answer.status === 0 || (answer.status >= 400 && answer.status < 500), String(answer.status)).toBe(true);
    expect(answer.text).not.toContain("canary");
  });

  test("that lies about host and sender changes no answer", async () => {
    const headers = {
      ...key,
      "x-forwarded-host": "evil.example",
      "x-forwarded-proto": "gopher",
      "x-original-url": "/admin",
    };
    const answer = await send(product, { method: "GET", path: "/v1/tenants", headers });
    expect(answer.status).toBe(200);
    expect(answer.text).not.toContain("evil.example");
    const override = { ...key, "x-http-method-override": "DELETE" };
    expect((await send(product, { method: "GET", path: "/v1/tenants/acme", headers: override })).status).toBe(200);
  });
});

describe("an Idempotency-Key", () => {
  const body = () => ({ tenantId: "acme", endUser: { id: "idempotent" }, allowedOrigins: [ORIGIN] });
  const post = (idempotencyKey: string, sent: unknown = body()) =>
    send(product, {
      method: "POST",
      path: "/v1/connect-sessions",
      headers: { ...key, "idempotency-key": idempotencyKey },
      body: sent,
    });

  test("sent thirty times at once has one effect", async () => {
    const before = await sessions();
    const answers = await Promise.all(Array.from({ length: 30 }, () => post("at-once")));
    expect(await sessions()).toBe(before + 1);
    const made = answers.filter(({ status }) => status === 201);
    expect(new Set(made.map(({ text }) => text)).size).toBe(1);
    for (const answer of answers.filter(({ status }) => status !== 201)) {
      expectProblem(answer, "in flight", 409);
      expect(answer.headers.get("retry-after")).toBe("1");
    }
    const again = await post("at-once");
    expect([again.status, again.headers.get("idempotent-replayed")]).toEqual([201, "true"]);
    expect(await sessions()).toBe(before + 1);
  });

  test("with another body is refused", async () => {
    expect((await post("reused")).status).toBe(201);
    expectProblem(await post("reused", { ...body(), locale: "de" }), "another body", 422);
  });

  test.each(["a".repeat(129), "with space", "ümlaut"])("%j is refused", async (text) => {
    expectProblem(await post(text), text, 400);
  });
});

describe("the widget's routes", () => {
  test.each([
    "null",
    "https://host.localhost:9",
    "http://host.localhost",
    "http://host.localhost:90",
    "http://host.localhost:9/",
    "http://HOST.localhost:9",
    "http://host.localhost:9.evil.example",
    "http://host.localhost:9@evil.example",
    "http://evil.host.localhost:9",
    "http://host.localhost.:9",
    "http://host.localhost:9, http://evil.example",
    "",
  ])("open to no page at %j", async (origin) => {
    const token = await mintSession(workspace, "acme", "cors");
    const headers = { ...withSession(token), origin };
    const answer = await send(product, { method: "GET", path: "/connect/v1/authorizations/x", headers });
    expectProblem(answer, origin, 403);
    expect(jsonOf(answer)["code"]).toBe("origin_not_allowed");
    expect(answer.headers.get("access-control-allow-credentials")).toBeNull();
    const body = JSON.stringify({ token });
    const bootstrap = await fetch(`${product.url}/connect/v1/session`, { method: "POST", headers: { origin }, body });
    expect(bootstrap.status).toBe(403);
  });

  test("never ask a browser for cookies, and let no page call the API", async () => {
    const preflight = { origin: ORIGIN, "access-control-request-method": "GET" };
    const widget = await send(product, { method: "OPTIONS", path: "/connect/v1/connections/x", headers: preflight });
    expect(widget.status).toBe(204);
    expect(widget.headers.get("access-control-allow-credentials")).toBeNull();
    for (const path of ["/v1/tenants", "/admin/v1/workspaces", "/in/shopify/x", "/console"]) {
      for (const method of ["GET", "OPTIONS"]) {
        const answer = await send(product, { method, path, headers: { ...key, ...preflight } });
        expect(answer.headers.get("access-control-allow-origin"), `${method} ${path}`).toBeNull();
      }
    }
  });
});

test("after all this the product is well", async () => {
  expect((await send(product, { method: "GET", path: "/readyz" })).status).toBe(200);
  expect((await list("")).status).toBe(200);
});

function list(query: string): Promise<Answer> {
  return send(product, { method: "GET", path: `/v1/tenants${query}`, headers: key });
}

async function sessions(): Promise<number> {
  const [row] = await product.database.sql<{ count: string }[]>`select count(*) from connect_sessions`;
  return Number(row?.count);
}

function* members(count: number): Generator<[string, number]> {
  for (let n = 0; n < count; n++) yield [`k${n}`, n];
}

function expectProblem(answer: Answer, label: string, status: number): void {
  expect(answer.status, `${label}: ${answer.text.slice(0, 300)}`).toBe(status);
  expect(Problem.parse(jsonOf(answer)).status, label).toBe(status);
}
