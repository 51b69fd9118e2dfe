import { AppError, encodeId, type ApiKeyId, type TenantUid, type WorkspaceId } from "@patchbay/shared";
import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import type { Audit, AuditAct } from "../../domain/audit/index.ts";
import { silentLogger } from "../../platform/observability/index.ts";
import { Secret, systemClock } from "../../platform/runtime/index.ts";
import { createApp } from "./app.ts";
import { defineRoute, type ApiRoute } from "./define-route.ts";

const workspaceId = randomUUID() as WorkspaceId;
const keyId = randomUUID() as ApiKeyId;
const tenantUid = randomUUID() as TenantUid;
const connectionId = encodeId("conn", randomUUID() as never);
const runId = encodeId("run", randomUUID() as never);

interface Given {
  readonly record?: Audit["record"];
  readonly handle?: () => void;
  readonly trustedProxies?: readonly string[];
}

/** Routes whose handlers and audit entries are written down in the order in which they happen. */
function anApp(given: Given = {}) {
  const happened: string[] = [];
  const entries: AuditAct[] = [];
  const audit: Audit = {
    writer: () => Promise.reject(new Error("not used")),
    person: () => Promise.reject(new Error("not used")),
    record: async (workspace, act) => {
      await given.record?.(workspace, act);
      expect(workspace).toBe(workspaceId);
      happened.push(act.kind ?? "fact");
      entries.push(act);
    },
  };
  const scope = "connections:write";
  const shared = { summary: "", tag: "", scope, responses: { 200: null } } as const;
  const Params = z.strictObject({ id: z.string().max(60) });
  const handler = async (c: { json: (body: unknown, status?: 201) => Response }, status?: 201) => {
    happened.push("handler");
    given.handle?.();
    return c.json({ id: runId }, status);
  };
  const routes: ApiRoute[] = [
    defineRoute({ ...shared, method: "post", path: "/v1/connections/{id}/pause", request: { params: Params } }, (c) =>
      handler(c),
    ),
    defineRoute({ ...shared, method: "post", path: "/v1/connections/{id}/runs", request: { params: Params } }, (c) =>
      handler(c, 201),
    ),
    defineRoute({ ...shared, method: "put", path: "/v1/tenants/{id}", request: { params: Params } }, (c) => handler(c)),
    defineRoute({ ...shared, method: "get", path: "/v1/connections/{id}", request: { params: Params } }, (c) =>
      handler(c),
    ),
    defineRoute(
      { ...shared, method: "get", path: "/v1/exports/{id}", request: { params: Params }, audited: true },
      (c) => handler(c),
    ),
  ];
  const app = createApp({
    log: silentLogger,
    authenticate: async () => ({
      workspaceId,
      mode: "test",
      keyId,
      scopes: [scope],
      allowedNetworks: [],
      expiresAt: null,
    }),
    operatorToken: new Secret("o".repeat(40)),
    idempotency: async (_, next) => next(),
    connectGuard: async (_, next) => next(),
    routes: routes.map((route) => ({ audience: "api", route })),
    mounts: [],
    publicUrl: "http://localhost:4400",
    clock: systemClock,
    trustedProxies: given.trustedProxies ?? [],
    version: "1",
    audit,
    tenantOf: async (_, of) => (of.tenantId === "unknown" ? null : tenantUid),
    workspaceExists: async () => true,
  });
  const send = (method: string, path: string, peer = "203.0.113.7") =>
    app.request(
      path,
      { method, headers: { authorization: "Bearer pb_good", "x-forwarded-for": "198.51.100.1" } },
      { incoming: { socket: { remoteAddress: peer } } },
    );
  return { happened, entries, send };
}

describe("a request that changes something", () => {
  test("is entered before its handler runs, and again with its outcome", async () => {
    const { happened, entries, send } = anApp();
    const answer = await send("POST", `/v1/connections/${connectionId}/pause`);
    expect(happened).toEqual(["attempt", "handler", "outcome"]);
    expect(entries[1]).toEqual({
      actor: { kind: "api_key", id: encodeId("key", keyId) },
      action: "connection.pause",
      kind: "outcome",
      target: { type: "connection", id: connectionId },
      tenantUid,
      requestId: answer.headers.get("x-request-id"),
      clientAddress: "203.0.113.7",
      details: { ok: true, status: 200 },
    });
  });

  test("does not happen when it cannot be entered", async () => {
    const { happened, send } = anApp({ record: () => Promise.reject(new Error("no database")) });
    expect((await send("POST", `/v1/connections/${connectionId}/pause`)).status).toBe(500);
    expect(happened).toEqual([]);
  });

  test("is answered though its outcome could not be entered", async () => {
    const record = async (_: WorkspaceId, act: AuditAct) => {
      if (act.kind === "outcome") throw new Error("no database");
    };
    const { happened, send } = anApp({ record });
    expect((await send("POST", `/v1/connections/${connectionId}/pause`)).status).toBe(200);
    expect(happened).toEqual(["attempt", "handler"]);
  });

  test.each([
    ["refused", new AppError("connection_not_active", "no"), "connection_not_active", 409],
    ["a bug", new Error("secret detail"), "internal", 500],
  ])("is entered with the code of its error when it was %s", async (_, error, code, status) => {
    const { entries, send } = anApp({
      handle: () => {
        throw error;
      },
    });
    expect((await send("POST", `/v1/connections/${connectionId}/pause`)).status).toBe(status);
    expect(entries[1]).toMatchObject({ kind: "outcome", details: { ok: false, code } });
    expect(JSON.stringify(entries)).not.toContain("secret detail");
  });

  test("is entered with what it made", async () => {
    const { entries, send } = anApp();
    await send("POST", `/v1/connections/${connectionId}/runs`);
    expect(entries.map(({ target }) => target)).toEqual([
      { type: "connection", id: connectionId },
      { type: "run", id: runId },
    ]);
  });

  test("names a tenant by its reference, never by the host's own id", async () => {
    const { entries, send } = anApp();
    await send("PUT", "/v1/tenants/jane@example.com");
    await send("PUT", "/v1/tenants/unknown");
    expect(entries.map(({ target }) => target.id)).toEqual([
      encodeId("ten", tenantUid),
      encodeId("ten", tenantUid),
      null,
      null,
    ]);
    expect(JSON.stringify(entries)).not.toMatch(/jane|unknown/);
  });

  test("is entered without an id that is none of ours", async () => {
    const { entries, send } = anApp();
    await send("POST", "/v1/connections/jane@example.com/pause");
    expect(entries[0]?.target).toEqual({ type: "connection", id: null });
  });

  test("leaves nothing when it is not valid", async () => {
    const { happened, send } = anApp();
    expect((await send("POST", `/v1/connections/${"x".repeat(61)}/pause`)).status).toBe(400);
    expect(happened).toEqual([]);
  });
});

describe("a request that only reads", () => {
  test("is not entered, unless it reveals a secret or exports data", async () => {
    const { happened, send } = anApp();
    await send("GET", `/v1/connections/${connectionId}`);
    expect(happened).toEqual(["handler"]);
    await send("GET", `/v1/exports/${connectionId}`);
    expect(happened).toEqual(["handler", "attempt", "handler", "outcome"]);
  });
});

describe("a route that cannot be entered", () => {
  test("stops the start: an operator's act without a workspace has no log to go to", () => {
    const route = defineRoute(
      { method: "post", path: "/admin/v1/things", summary: "", tag: "", scope: null, request: {}, responses: {} },
      async (c) => c.body(null),
    );
    expect(() => createApp({ ...APP, routes: [{ audience: "admin", route }] })).toThrow("byHandler");
  });

  test("for API keys without a scope does not compile, and stops the start", () => {
    const route = defineRoute(
      { method: "get", path: "/v1/things", summary: "", tag: "", scope: null, request: {}, responses: {} },
      async (c) => c.body(null),
    );
    // @ts-expect-error a route for API keys names its scope
    const refused: ApiRoute = route;
    expect(() => createApp({ ...APP, routes: [{ audience: "api", route: refused }] })).toThrow("names no scope");
  });
});

const APP = {
  log: silentLogger,
  authenticate: async () => null,
  operatorToken: new Secret("o".repeat(40)),
  idempotency: async () => {},
  connectGuard: async () => {},
  mounts: [],
  publicUrl: "http://localhost:4400",
  clock: systemClock,
  trustedProxies: [],
  version: "1",
  audit: {
    writer: () => Promise.reject(new Error("not used")),
    person: () => Promise.reject(new Error("not used")),
    record: () => Promise.reject(new Error("not used")),
  },
  tenantOf: async () => null,
  workspaceExists: async () => true,
} as const;
