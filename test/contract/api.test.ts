/** Every answer of every route is what `/openapi.json` says, and every call of the SDK reaches a route. */
import { randomUUID } from "node:crypto";
import { Patchbay, type RecipientKey } from "@patchbay/node";
import { ConnectBootstrap, encodeId, ERROR_CODES, MODEL_NAMES, SCOPES, type DeliveryId } from "@patchbay/shared";
import { generateKeyPairSync } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { foreignTokens } from "../harness/foreign-tokens.ts";
import { connectStore } from "../harness/connect-store.ts";
import { ORIGIN, send, withKey, withSession } from "../security/http.ts";
import { operationsOf, readOpenApi, type OpenApi, type Operation } from "../security/routes.ts";
import { createWorld, mintSession, startAuthorization, type World } from "../security/world.ts";
import { problemsOf } from "./api-schema.ts";
import { expectDocumented } from "./expect-documented.ts";
import { recordExchanges, type Exchange } from "./record-exchanges.ts";

let world: World;
let document: OpenApi;
let operations: readonly Operation[];
let sdk: Patchbay;
let exchanges: readonly Exchange[];
const plainFetch = globalThis.fetch;
beforeAll(async () => {
  world = await createWorld();
  document = await readOpenApi(world.product);
  operations = operationsOf(document);
  const recorder = recordExchanges(plainFetch, world.product.url, operations);
  exchanges = recorder.exchanges;
  sdk = new Patchbay({ apiKey: world.a.apiKey, baseUrl: world.product.url, maxRetries: 0, fetch: recorder.fetch });
  globalThis.fetch = recorder.fetch;
}, 120_000);
afterAll(async () => {
  globalThis.fetch = plainFetch;
  await world[Symbol.asyncDispose]();
});

/** Every method of every resource, called so that it succeeds. Later ones find what earlier ones left. */
const SDK_CALLS: Readonly<Record<string, () => PromiseLike<unknown>>> = {
  "tenants.upsert": () => sdk.tenants.upsert({ id: "acme", name: "Acme", metadata: { plan: "pro" } }),
  "tenants.retrieve": () => sdk.tenants.retrieve("acme"),
  "tenants.list": () => sdk.tenants.list({ limit: 2 }).toArray({ limit: 10 }),
  "connectSessions.create": () => sdk.connectSessions.create({ tenantId: "acme", ...PAGE }),
  "connectSessions.reauthorize": () => sdk.connectSessions.reauthorize({ connectionId: connectionId(), ...PAGE }),
  "connections.list": () => sdk.connections.list({ limit: 1 }).toArray({ limit: 10 }),
  "connections.retrieve": () => sdk.connections.retrieve(connectionId()),
  "connections.import": async () => {
    const shop = world.product.sandbox.shopify.shops.at(-1) ?? "";
    const app = { clientId: "sandbox-app", clientSecret: "sandbox-secret-0001" };
    const tokens = await foreignTokens({ ...app, sandboxUrl: world.product.sandbox.url, shop });
    const { accessToken, refreshToken } = tokens;
    await sdk.connections.import({
      tenantId: "acme",
      provider: "shopify",
      parameters: { shop },
      tokens: { accessToken, refreshToken },
    });
  },
  "connections.export": () => sdk.connections.export(connectionId(), { publicKey: RSA_KEY }),
  "connections.capabilities": () => sdk.connections.capabilities(connectionId()),
  "connections.test": () => sdk.connections.test(connectionId()),
  "connections.pause": () => sdk.connections.pause(connectionId()),
  "connections.resume": () => sdk.connections.resume(connectionId()),
  "runs.trigger": () => sdk.runs.trigger({ connectionId: connectionId(), mode: "full" }),
  "runs.list": () => sdk.runs.list({ limit: 1 }).toArray({ limit: 10 }),
  "runs.retrieve": () => sdk.runs.retrieve(world.a.first.runId),
  "runs.cancel": () => sdk.runs.cancel(world.a.first.runId),
  "records.list": async () => {
    for (const model of MODEL_NAMES) {
      await sdk.records.list("acme", model, { expand: "raw", includeDeleted: true }).toArray({ limit: 200 });
    }
  },
  "records.export": async () => {
    const orders = [];
    for await (const order of sdk.records.export("acme", "order", { expand: "raw" })) orders.push(order.id);
    expect(orders).toContain(world.a.first.orderId);
  },
  "records.retrieve": () => sdk.records.retrieve("acme", "order", world.a.first.orderId, { expand: "raw" }),
  "records.of": async () => {
    for await (const event of sdk.events.list()) {
      if (event.type === "order.created") return sdk.records.of({ ...event, data: { ...event.data, object: null } });
    }
    throw new Error("the world has no order.created");
  },
  "events.list": () => sdk.events.list({ limit: 5 }).toArray({ limit: 1_000 }),
  "events.tail": async () => {
    const abort = new AbortController();
    for await (const _ of sdk.events.tail({ from: "start", signal: abort.signal })) abort.abort();
  },
  "events.stream": async () => {
    const abort = new AbortController();
    for await (const _ of sdk.events.stream({ from: "start", signal: abort.signal })) abort.abort();
  },
  "events.types": () => sdk.events.types(),
  "events.retrieve": () => sdk.events.retrieve(world.a.first.eventId),
  "webhookEndpoints.create": () => sdk.webhookEndpoints.create({ url: "https://hooks.example.com/in" }),
  "webhookEndpoints.list": () => sdk.webhookEndpoints.list({ limit: 1 }).toArray({ limit: 10 }),
  "webhookEndpoints.retrieve": () => sdk.webhookEndpoints.retrieve(world.a.endpointId),
  "webhookEndpoints.update": () => sdk.webhookEndpoints.update(world.a.endpointId, { description: "main" }),
  "webhookEndpoints.rotateSecret": () => sdk.webhookEndpoints.rotateSecret(world.a.endpointId, { graceHours: 1 }),
  "webhookEndpoints.test": () => sdk.webhookEndpoints.test(world.a.endpointId, { signWith: "newest" }),
  "webhookEndpoints.attempts": () => sdk.webhookEndpoints.attempts(world.a.endpointId).toArray({ limit: 100 }),
  "deliveries.list": () => sdk.deliveries.list({ limit: 1 }).toArray({ limit: 10 }),
  "deliveries.listDeadLetters": () => sdk.deliveries.listDeadLetters().toArray({ limit: 10 }),
  "webhookEndpoints.previewReplay": () => sdk.webhookEndpoints.previewReplay(world.a.endpointId, { only: "failed" }),
  "webhookEndpoints.replay": () =>
    sdk.webhookEndpoints.replay(world.a.endpointId, {
      since: "2020-01-01T00:00:00Z",
      type: "none.such",
      only: "missing",
    }),
  "deliveries.listReplays": () => sdk.deliveries.listReplays({ limit: 1 }).toArray({ limit: 10 }),
  "deliveries.retrieveReplay": () => sdk.deliveries.retrieveReplay(world.a.deliveryReplayId),
  "deliveries.cancelReplay": () => sdk.deliveries.cancelReplay(world.a.deliveryReplayId),
  "deliveries.skip": async () => {
    const [dead] = await world.product.database.sql<{ id: string }[]>`
      update deliveries set status = 'failed' where (workspace_id, id) = (
        select workspace_id, id from deliveries where workspace_id = ${world.a.uuid} and status = 'delivered' limit 1
      ) returning id`;
    await sdk.deliveries.skip(encodeId("dlv", (dead?.id ?? "") as DeliveryId));
  },
  "deliveries.retry": () => sdk.deliveries.retry(world.a.deliveryId),
  "apiKeys.create": () => sdk.apiKeys.create({ name: "rotated", scopes: ["runs:read"] }),
  "apiKeys.list": () => sdk.apiKeys.list({ limit: 1 }).toArray({ limit: 10 }),
  "apiKeys.rotate": async () => sdk.apiKeys.rotate(await rotatedKey(), { overlapHours: 1 }),
  "apiKeys.revokePrevious": async () => sdk.apiKeys.revokePrevious(await rotatedKey()),
  "apiKeys.delete": async () => sdk.apiKeys.delete(await rotatedKey()),
  "audit.list": () => sdk.audit.list({ limit: 20, tenantId: "acme" }).toArray({ limit: 40 }),
  "audit.export": async () => {
    const entries = [];
    for await (const entry of sdk.audit.export({ afterSequence: 2 })) entries.push(entry.sequence);
    expect(entries[0]).toBe(3);
  },
  "audit.listCheckpoints": () => sdk.audit.listCheckpoints({ limit: 1 }).toArray({ limit: 10 }),
  "inbox.list": () => sdk.inbox.list({ limit: 1 }).toArray({ limit: 10 }),
  "inbox.retrieve": () => sdk.inbox.retrieve(world.a.inboxId),
  "inbox.retrieveRaw": () => sdk.inbox.retrieveRaw(world.a.inboxId),
  "inbox.previewReplay": () => sdk.inbox.previewReplay({ ids: [world.a.inboxId] }),
  "inbox.replay": () => sdk.inbox.replay({ since: "2020-01-01T00:00:00Z", status: "unrouted", ratePerSecond: 10 }),
  "inbox.listReplays": () => sdk.inbox.listReplays({ limit: 1 }).toArray({ limit: 10 }),
  "inbox.retrieveReplay": () => sdk.inbox.retrieveReplay(world.a.replayId),
  "inbox.cancelReplay": () => sdk.inbox.cancelReplay(world.a.replayId),
  "providers.list": () => sdk.providers.list().toArray({ limit: 10 }),
  "providers.setApp": () => sdk.providers.setApp("shopify", { clientId: "other", clientSecret: "other-secret" }),
  "providers.retrieveApp": () => sdk.providers.retrieveApp("shopify"),
  "providers.rotateSigningKey": () => sdk.providers.rotateSigningKey("shopify", { algorithm: "ES256" }),
  "connections.delete": () => sdk.connections.delete(world.a.second.connectionId),
  "tenants.delete": () => sdk.tenants.delete(world.a.bare),
  "erasures.list": () => sdk.erasures.list({ limit: 1 }).toArray({ limit: 10 }),
  "erasures.retrieve": async () => {
    const [erasure] = await sdk.erasures.list().toArray({ limit: 1 });
    await sdk.erasures.retrieve(erasure?.id ?? "");
  },
  "webhookEndpoints.delete": () => sdk.webhookEndpoints.delete(world.a.endpointId),
};

const RSA_KEY = generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey.export({ format: "jwk" }) as RecipientKey;
const PAGE = { endUser: { id: "u", email: "u@example.com" }, allowedOrigins: [ORIGIN] };

const rotatedKey = async () => (await sdk.apiKeys.list({ limit: 1 }).toArray({ limit: 1 }))[0]?.id ?? "";
const connectionId = () => world.a.first.connectionId;

describe("the contract", () => {
  test("is OpenAPI 3.1: unique operations, responses, no reference that leads nowhere", () => {
    expect(document.openapi).toMatch(/^3\.1\.\d+$/);
    const ids = Object.values(document.paths).flatMap((path) => Object.values(path).map((each) => each.operationId));
    expect(new Set(ids).size).toBe(ids.length);
    const names = Object.keys(document.components.schemas);
    const references = JSON.stringify(document).match(/"\$ref":"[^"]+"/g) ?? [];
    const wrong = references.filter((each) => !names.includes(each.slice('"$ref":"#/components/schemas/'.length, -1)));
    expect([...new Set(wrong)]).toEqual([]);
    for (const operation of operations) {
      const inPath = operation.path.match(/\{(\w+)\}/g)?.map((each) => each.slice(1, -1)) ?? [];
      const declared = operation.parameters.filter((each) => each.in === "path").map((each) => each.name);
      expect(declared.toSorted(), operation.name).toEqual(inPath.toSorted());
      expect(Object.keys(operation.responses).toSorted(), operation.name).toContain("default");
      expect(Object.keys(operation.responses).length, operation.name).toBeGreaterThan(1);
      if (operation.audience === "api") expect(SCOPES).toContain(operation.scope);
    }
  });

  test("lists every method of the SDK here", () => {
    const { webhooks: _, tenant: __, ...resources } = sdk as unknown as Record<string, object>;
    const methods = Object.entries(resources).flatMap(([resource, value]) =>
      Object.getOwnPropertyNames(Object.getPrototypeOf(value) as object)
        .filter((name) => name !== "constructor")
        .map((name) => `${resource}.${name}`),
    );
    expect(Object.keys(SDK_CALLS).toSorted()).toEqual(methods.toSorted());
  });

  test.each(Object.entries(SDK_CALLS))("patchbay.%s reaches a route that answers as documented", async (_, call) => {
    const before = exchanges.length;
    await call();
    const made = exchanges.slice(before);
    expect(made.length).toBeGreaterThan(0);
    for (const exchange of made) expectDocumented(exchange, document);
  });

  test("holds for the widget's routes", async () => {
    const before = exchanges.length;
    await walkWidget();
    for (const exchange of exchanges.slice(before)) if (!isBootstrap(exchange)) expectDocumented(exchange, document);
    const bootstrap = exchanges.slice(before).find(isBootstrap);
    expect(ConnectBootstrap.safeParse(JSON.parse(bootstrap?.text ?? "null")).error).toBeUndefined();
  });

  test("holds for the operator's routes", async () => {
    const before = exchanges.length;
    const { product, a } = world;
    const admin = (method: string, path: string, body?: unknown) =>
      send(product, { method, path: `/admin/v1${path}`, headers: withKey(product.operatorToken), body });
    await admin("POST", "/workspaces", { name: "Third", mode: "live" });
    await admin("GET", "/workspaces");
    const keys = `/workspaces/${a.workspace.id}/api-keys`;
    const made = await admin("POST", keys, { name: "k", scopes: ["runs:read"] });
    const { id } = JSON.parse(made.text) as { id: string };
    await admin("GET", keys);
    await admin("POST", `${keys}/${id}/rotate`, {});
    await admin("POST", `${keys}/${id}/revoke-previous`);
    await admin("DELETE", `${keys}/${id}`);
    await admin("POST", `/workspaces/${a.workspace.id}/key-rotations`, { kind: "data" });
    await admin("GET", "/keys");
    await product.database.sql`
      insert into queue.restores (id, backup_taken_at, restored_at) values (${randomUUID()}, now(), now())`;
    await admin("GET", "/restore");
    await admin("POST", "/restore/erasures", { tenantRefs: [`ten_${"0".repeat(25)}1`] });
    await admin("POST", "/restore/confirm");
    for (const exchange of exchanges.slice(before)) expectDocumented(exchange, document);
  });

  test("was tried on every route", () => {
    const seen = new Set(exchanges.filter(({ status }) => status < 300).map(({ operation }) => operation?.name));
    expect(operations.map((operation) => operation.name).filter((name) => !seen.has(name))).toEqual([]);
  });

  test("left an attempt and its outcome in the audit log for every change, and nothing else of the requests", async () => {
    const byHand = new Set([
      "POST /admin/v1/workspaces",
      "POST /admin/v1/restore/confirm",
      "POST /admin/v1/restore/erasures",
      "POST /connect/v1/providers/{id}/resolve",
    ]);
    const changing = operations.filter(({ name, method }) => method !== "GET" && !byHand.has(name));
    expect(changing.filter(({ auditAction }) => auditAction === null)).toEqual([]);
    const rows = await world.product.database.sql<{ action: string; kinds: string; open: string }[]>`
      select action, string_agg(distinct kind, ' ' order by kind) as kinds,
        count(*) filter (where kind = 'attempt') - count(*) filter (where kind = 'outcome') as open
      from audit_entries where request_id is not null and kind <> 'fact' group by action`;
    expect(rows.map((row) => row.action).toSorted()).toEqual(
      [...new Set(operations.flatMap(({ auditAction }) => auditAction ?? []))].toSorted(),
    );
    expect(rows.filter((row) => row.kinds !== "attempt outcome" || row.open !== "0")).toEqual([]);
    const [{ log } = { log: "" }] = await world.product.database.sql<{ log: string }[]>`
      select string_agg(e::text, ' ') as log from audit_entries e`;
    for (const told of [...[world.a, world.b].flatMap((side) => [side.first.id, side.second.id]), "u@example.com"]) {
      expect(log).not.toContain(told);
    }
  });

  test("has every error in one shape, with a stable code and nothing from inside", async () => {
    await provokeErrors();
    const errors = exchanges.filter(({ status }) => status >= 400);
    expect(new Set(errors.map(codeOf)).size).toBeGreaterThan(12);
    const schema = { $ref: "#/components/schemas/Problem" };
    for (const error of errors) {
      const label = `${error.name}: ${error.status} ${error.text}`;
      expect(error.type, label).toBe("application/problem+json");
      const problem = JSON.parse(error.text) as Record<string, unknown>;
      expect(problemsOf(problem, schema, document.components.schemas), label).toEqual([]);
      expect(ERROR_CODES[codeOf(error) as keyof typeof ERROR_CODES].status, label).toBe(error.status);
      expect(problem["requestId"], label).toBe(error.requestId);
      expect(error.requestId, label).toMatch(/^req_[0-9a-f]{32}$/);
      expect(error.text, label).not.toMatch(INSIDE);
    }
  });
});

/** Stacks, SQL, files, drivers. */
const INSIDE =
  /\bat .+:\d+:\d+|node_modules|\.ts\b|\/packages\/|\/home\/|file:|postgres|drizzle|\bselect .+ from\b|\binsert into\b|\bupdate \w+ set\b|violates|ECONN|ZodError/i;

/** All that the widget asks for, from the first paint to the disconnection. */
async function walkWidget(): Promise<void> {
  const { product, b } = world;
  const token = await mintSession(b, b.first.id, "walker");
  const call = (method: string, path: string, body?: unknown) =>
    send(product, { method, path: `/connect/v1${path}`, headers: withSession(token), body });
  await call("POST", "/session", { token });
  await call("POST", "/providers/shopify/resolve", { parameters: { shop: "acme-goods" } });
  const started = await startAuthorization(product, token);
  await call("GET", `/authorizations/${started.id}`);
  await call("DELETE", `/authorizations/${started.id}`);
  // No worker runs in this world: the import would not begin.
  await connectStore(product, b, { tenantId: b.bare, awaitImport: false });
  const connection = `/connections/${b.first.connectionId}`;
  await call("GET", connection);
  await call("POST", `${connection}/pause`);
  await call("POST", `${connection}/resume`);
  await call("POST", `${connection}/runs`);
  await call("DELETE", connection);
}

async function provokeErrors(): Promise<void> {
  const { product, a, b } = world;
  const key = withKey(a.apiKey);
  const ask = (method: string, path: string, more: { body?: unknown; headers?: Record<string, string> } = {}) =>
    send(product, { method, path, headers: { ...key, ...more.headers }, body: more.body });
  for (const operation of operations) {
    const path = operation.path.replaceAll("{model}", "order").replaceAll(/\{\w+\}/g, "no'; drop table runs; --");
    for (const headers of [key, {}, withSession(b.second.sessionToken), withKey(product.operatorToken)]) {
      await send(product, { method: operation.method, path: encodeURI(path), headers });
      const json = { ...headers, "content-type": "application/json" };
      await send(product, {
        method: operation.method === "GET" ? "POST" : operation.method,
        path: encodeURI(path),
        headers: json,
        body: { a: [null] },
      });
    }
  }
  await ask("GET", "/nowhere");
  await ask("GET", "/v1/runs?limit=0&other=1");
  await ask("GET", "/v1/runs?cursor=x");
  await ask("GET", "/v1/events?after=x");
  await ask("POST", "/v1/webhook-endpoints", { body: { url: "http://10.0.0.1/" } });
  await ask("POST", "/v1/webhook-endpoints", { body: { url: "https://user:pass@example.com/" } });
  await ask("POST", "/v1/tenants", { body: {} });
  await ask("PUT", "/v1/tenants/x", { body: "x".repeat(1_100_000) });
  const reused = { headers: { "idempotency-key": "twice" } };
  await ask("POST", "/v1/connect-sessions", { body: { tenantId: "acme", ...PAGE }, ...reused });
  await ask("POST", "/v1/connect-sessions", { body: { tenantId: "globex", ...PAGE }, ...reused });
}

function codeOf(exchange: Exchange): string {
  return (JSON.parse(exchange.text) as { code: string }).code;
}

function isBootstrap(exchange: Exchange): boolean {
  return exchange.name === "POST /connect/v1/session";
}
