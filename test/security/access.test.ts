/** Who may call which route: every route × every scope, no key, the wrong kind of key, the wrong method. */
import { Problem, SCOPES, decodeId, encodeUuid, type Scope } from "@patchbay/shared";
import { randomUUID } from "node:crypto";
import { crc32 } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestProduct, type TestProduct, type TestWorkspace } from "../harness/product.ts";
import { ORIGIN, jsonOf, send, withKey, withSession, type Answer } from "./http.ts";
import { operationsOf, readOpenApi, type Operation } from "./routes.ts";
import { mintSession } from "./world.ts";

let product: TestProduct;
let workspace: TestWorkspace;
let sessionToken: string;
let operations: readonly Operation[];
beforeAll(async () => {
  product = await startTestProduct({ roles: { api: true, worker: false } });
  workspace = await product.addWorkspace();
  await workspace.sdk.tenants.upsert({ id: "acme" });
  sessionToken = await mintSession(workspace, "acme", "person");
  operations = operationsOf(await readOpenApi(product));
}, 60_000);
afterAll(() => product.close());

describe("every route", () => {
  test("is refused without a key, whoever it is for", async () => {
    for (const operation of operations) {
      const answer = await call(operation, {});
      expectProblem(answer, operation.name, 401, "unauthenticated");
      expect(answer.headers.get("www-authenticate"), operation.name).toBe("Bearer");
    }
  });

  test.each(["api", "connect", "admin"] as const)("of %s is refused with the keys of the others", async (audience) => {
    const keys = { api: workspace.apiKey, connect: sessionToken, admin: product.operatorToken };
    for (const operation of operations.filter((each) => each.audience === audience)) {
      for (const [kind, key] of Object.entries(keys)) {
        const answer = await call(operation, { ...withKey(key), origin: ORIGIN });
        const label = `${operation.name} with the ${kind} key`;
        if (kind === audience) expect([401, 403], label).not.toContain(answer.status);
        else expectProblem(answer, label, 401, "unauthenticated");
      }
    }
  });

  test("names a scope if it is for API keys, and none else", () => {
    const wrong = operations.filter(({ audience, scope }) => (audience === "api") !== SCOPES.includes(scope as Scope));
    expect(wrong.map((operation) => operation.name)).toEqual([]);
  });

  test("that changes anything wants more than a scope for reading", () => {
    const reading = operations.filter(({ scope, method }) => scope?.endsWith(":read") === true && method !== "GET");
    expect(reading.map((operation) => operation.name)).toEqual(["POST /v1/connections/{id}/test"]);
    const writing = operations.filter(({ scope, method }) => scope?.endsWith(":write") === true && method === "GET");
    expect(writing).toEqual([]);
  });

  test("opens to the one scope that it names, and to no other", async () => {
    const keys = await Promise.all(
      SCOPES.map(async (scope) => {
        const input = { name: scope, scopes: [scope] };
        return { scope, key: (await product.patchbay.createApiKey(workspace.workspace.id, input)).secret };
      }),
    );
    let asked = 0;
    for (const operation of operations.filter(({ audience }) => audience === "api")) {
      for (const { scope, key } of keys) {
        const answer = await call(operation, withKey(key));
        const label = `${operation.name} with ${scope}`;
        if (scope === operation.scope) expect([401, 403], label).not.toContain(answer.status);
        else expectProblem(answer, label, 403, "insufficient_scope");
        asked++;
      }
    }
    expect(asked).toBeGreaterThan(300);
  });

  test("answers another method with what it takes", async () => {
    for (const path of new Set(operations.map((operation) => operation.path))) {
      // A word such as `import` stands where another route takes an id.
      const here = operations.filter((operation) => patternOf(operation.path).test(path));
      const taken = [...new Set(here.map(({ method }) => method))];
      const others = ["GET", "POST", "PUT", "PATCH", "DELETE"].filter((method) => !taken.includes(method));
      for (const method of others) {
        const answer = await call({ method, path }, withKey(workspace.apiKey));
        expectProblem(answer, `${method} ${path}`, 405, "method_not_allowed");
        expect((answer.headers.get("allow") ?? "").split(", ").toSorted(), path).toEqual(taken.toSorted());
      }
    }
  });

  test("carries the headers that keep browsers from misusing it", async () => {
    for (const operation of operations) {
      const { headers } = await call(operation, withKey(workspace.apiKey));
      expect(Object.fromEntries(headers), operation.name).toMatchObject({
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
        "cache-control": "no-store",
        "x-request-id": expect.stringMatching(/^req_[0-9a-f]{32}$/),
      });
      expect(headers.get("server") ?? headers.get("x-powered-by"), operation.name).toBeNull();
    }
  });
});

describe("an API key", () => {
  const spoilt = (key: string): readonly (readonly [string, string])[] => [
    ["cut short", key.slice(0, -1)],
    ["longer", `${key}0`],
    ["in capitals", key.toUpperCase()],
    ["of live mode", resum(key.replace("pb_test_", "pb_live_"))],
    ["with another workspace", resum(key.slice(0, 8) + encodeUuid(randomUUID()) + key.slice(34))],
    ["of nobody", resum(`${key.slice(0, 34)}${"x".repeat(44)}${key.slice(-7)}`)],
    ["without a checksum", key.slice(0, -7)],
    ["twice", `${key},${key}`],
    ["empty", ""],
  ];

  test("is refused by every process within a second of its end", async () => {
    const { secret, id } = await product.patchbay.createApiKey(workspace.workspace.id, { name: "ends" });
    expect((await list(withKey(secret))).status).toBe(200);
    await workspace.sdk.apiKeys.delete(id);
    expectProblem(await list(withKey(secret)), "revoked", 401, "unauthenticated");
  });

  test("does not revoke itself by accident", async () => {
    const scopes = ["api_keys:write"] as const;
    const { secret, id } = await product.patchbay.createApiKey(workspace.workspace.id, { name: "self", scopes });
    const remove = (query: string) =>
      send(product, { method: "DELETE", path: `/v1/api-keys/${id}${query}`, headers: withKey(secret) });
    expectProblem(await remove(""), "its own", 409, "conflict");
    expect((await remove("?self=true")).status).toBe(200);
    expectProblem(await remove("?self=true"), "gone", 401, "unauthenticated");
  });

  test("bound to other networks opens nothing, whatever X-Forwarded-For says", async () => {
    const input = { name: "bound", allowedNetworks: ["203.0.113.0/24"] };
    const { secret } = await product.patchbay.createApiKey(workspace.workspace.id, input);
    const answer = await list({ ...withKey(secret), "x-forwarded-for": "203.0.113.7" });
    expectProblem(answer, "elsewhere", 403, "address_not_allowed");
  });

  test("opens nothing after its end, or once it was revoked", async () => {
    const make = (expiresAt: string) =>
      product.patchbay.createApiKey(workspace.workspace.id, { name: "short", expiresAt });
    const { secret: expired } = await make(new Date(Date.now() - 1_000).toISOString());
    expectProblem(await list(withKey(expired)), "expired", 401, "unauthenticated");
    const { secret, id } = await make(new Date(Date.now() + 60_000).toISOString());
    expect((await list(withKey(secret))).status).toBe(200);
    await product.database.sql`update api_keys set revoked_at = now() where id = ${decodeId("key", id) ?? ""}`;
    expectProblem(await list(withKey(secret)), "revoked", 401, "unauthenticated");
  });

  test("is looked for in the header alone", async () => {
    for (const name of ["apiKey", "api_key", "key", "token", "access_token"]) {
      const path = `/v1/tenants?${name}=${workspace.apiKey}`;
      expectProblem(await send(product, { method: "GET", path }), name, 401, "unauthenticated");
    }
    const cookie = `authorization=${workspace.apiKey}; apiKey=${workspace.apiKey}`;
    expectProblem(await list({ cookie }), "cookie", 401, "unauthenticated");
  });

  test("T2: opens nothing when it is not exactly what was given", async () => {
    const key = workspace.apiKey;
    expect((await list(withKey(key))).status).toBe(200);
    for (const [what, text] of spoilt(key)) expectProblem(await list(withKey(text)), what, 401, "unauthenticated");
    const basic = `Basic ${Buffer.from(`${key}:`).toString("base64")}`;
    expectProblem(await list({ authorization: basic }), "Basic", 401, "unauthenticated");
    for (let at = 0; at < key.length; at++) {
      const flipped = key.slice(0, at) + (key[at] === "a" ? "b" : "a") + key.slice(at + 1);
      for (const text of [flipped, resum(flipped)]) {
        const { status } = await list(withKey(text));
        if (text === key) expect(status, `character ${at}`).toBe(200);
        // Past twenty tries on one key's public id: wait.
        else expect([401, 429], `character ${at}`).toContain(status);
      }
    }
    const wrong = await list(withKey(resum(`${key.slice(0, -8)}${key.at(-8) === "a" ? "b" : "a"}${key.slice(-7)}`)));
    expectProblem(wrong, "one more", 429, "rate_limited");
    expect(Number(wrong.headers.get("retry-after"))).toBeGreaterThan(0);
    expect((await list(withKey(key))).status, "the good key is never locked out").toBe(200);
  });
});

describe("a session token", () => {
  test("T2: opens nothing with another workspace in it, spoilt, after its end or once it was revoked", async () => {
    const hint = sessionToken.slice(9, 35);
    expect(hint).toBe(encodeUuid(decodeId("ws", workspace.workspace.id) ?? ""));
    const other = await product.addWorkspace();
    const otherHint = encodeUuid(decodeId("ws", other.workspace.id) ?? "");
    for (const text of [
      sessionToken.replace(hint, otherHint),
      sessionToken.replace(hint, encodeUuid(randomUUID())),
      sessionToken.slice(0, -1),
      sessionToken.slice(0, -1) + (sessionToken.endsWith("A") ? "B" : "A"),
    ]) {
      expectProblem(await authorization(text), text, 401, "unauthenticated");
    }
    expectProblem(await authorization(sessionToken), "a good one", 404, "authorization_not_found");
    const ends = [{ expires_at: new Date(0) }, { revoked_at: new Date() }];
    for (const end of ends) {
      const token = await mintSession(workspace, "acme", "short");
      await product.database.sql`update connect_sessions set ${product.database.sql(end)} where end_user_id = 'short'`;
      expectProblem(await authorization(token), JSON.stringify(end), 401, "session_expired");
    }
  });
});

function call(operation: Pick<Operation, "method" | "path">, headers: Readonly<Record<string, string>>) {
  const path = operation.path
    .replaceAll("{model}", "order")
    .replaceAll("{provider}", "nobodys")
    .replaceAll(/\{\w+\}/g, "nothing");
  return send(product, { method: operation.method, path, headers });
}

function list(headers: Readonly<Record<string, string>>): Promise<Answer> {
  return send(product, { method: "GET", path: "/v1/tenants", headers });
}

function authorization(token: string): Promise<Answer> {
  return send(product, { method: "GET", path: "/connect/v1/authorizations/x", headers: withSession(token) });
}

/** Puts a checksum that fits behind a changed key, so that more than the checksum is tried. */
function resum(key: string): string {
  const body = key.slice(0, -7);
  return body + crc32(body).toString(36).padStart(7, "0");
}

function expectProblem(answer: Answer, label: string, status: number, code: string): void {
  expect(answer.status, label).toBe(status);
  expect(answer.headers.get("content-type"), label).toBe("application/problem+json");
  const problem = Problem.parse(jsonOf(answer));
  expect(problem, label).toMatchObject({ status, code, requestId: answer.headers.get("x-request-id") });
}

/** What a route's path takes, the braces of another's included. */
function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll(".", String.raw`\.`).replaceAll(/\{\w+\}/g, "[^/]+")}$`);
}
