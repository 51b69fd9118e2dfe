import { readFile } from "node:fs/promises";
import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Patchbay, PatchbayError, VERSION } from "./index.ts";
import { apiServer, json } from "./testing/api-server.ts";

beforeEach(() => {
  vi.stubEnv("PATCHBAY_API_KEY", undefined);
  vi.stubEnv("PATCHBAY_URL", undefined);
});
afterEach(() => vi.unstubAllEnvs());

describe("new Patchbay", () => {
  test("takes key and address from the environment", async () => {
    await using server = await apiServer(json({ id: "acme" }));
    vi.stubEnv("PATCHBAY_API_KEY", "pb_test_env");
    vi.stubEnv("PATCHBAY_URL", `${server.baseUrl}/`);
    await new Patchbay().tenants.retrieve("acme");
    expect(server.requests[0]).toMatchObject({
      url: "/v1/tenants/acme",
      headers: { authorization: "Bearer pb_test_env" },
    });
  });

  test("uses the fetch it is given", async () => {
    const asked: unknown[] = [];
    const fetch: typeof globalThis.fetch = async (input) => {
      asked.push(input instanceof URL ? input.href : input);
      return Response.json({ id: "acme" });
    };
    await new Patchbay({ apiKey: "k", fetch }).tenants.retrieve("acme");
    expect(asked).toEqual(["http://localhost:4400/v1/tenants/acme"]);
  });

  test.each([
    ["no key", {}, "no API key"],
    ["a key with a line break", { apiKey: "secret\n" }, "characters that no API key has"],
    ["an address that is not http", { apiKey: "k", baseUrl: "localhost:4400" }, "baseUrl"],
    ["a timeout of nothing", { apiKey: "k", timeoutMs: 0 }, "timeoutMs"],
    ["less than no retries", { apiKey: "k", maxRetries: -1 }, "maxRetries"],
  ])("refuses %s with a clear message", (_name, options, message) => {
    expect(() => new Patchbay(options)).toThrow(PatchbayError);
    expect(() => new Patchbay(options)).toThrow(message);
    expect(() => new Patchbay(options)).not.toThrow("secret");
  });

  test("shows no secret when printed", () => {
    const patchbay = new Patchbay({ apiKey: "pb_test_hidden", webhookSecret: "whsec_hidden" });
    expect(inspect(patchbay, { depth: 9, showHidden: true })).not.toContain("hidden");
  });
});

const page = json({ data: [], hasMore: false, nextCursor: null });

describe("routes", () => {
  test.each<[string, (patchbay: Patchbay) => PromiseLike<unknown>, string, unknown?]>([
    ["tenants.upsert", (p) => p.tenants.upsert({ id: "acme", name: "Acme" }), "PUT /v1/tenants/acme", { name: "Acme" }],
    ["tenants.retrieve", (p) => p.tenants.retrieve("acme"), "GET /v1/tenants/acme"],
    ["tenants.list", (p) => p.tenants.list(), "GET /v1/tenants"],
    [
      "connectSessions.create",
      (p) =>
        p.connectSessions.create({ tenantId: "acme", endUser: { id: "u" }, allowedOrigins: ["https://a.example"] }),
      "POST /v1/connect-sessions",
      { tenantId: "acme", endUser: { id: "u" }, allowedOrigins: ["https://a.example"] },
    ],
    [
      "connectSessions.reauthorize",
      (p) => p.connectSessions.reauthorize({ connectionId: "conn_1", endUser: { id: "u" }, allowedOrigins: [] }),
      "POST /v1/connect-sessions/reauthorize",
      { connectionId: "conn_1", endUser: { id: "u" }, allowedOrigins: [] },
    ],
    ["connections.list", (p) => p.connections.list({ tenantId: "acme" }), "GET /v1/connections?tenantId=acme"],
    ["connections.retrieve", (p) => p.connections.retrieve("conn_1"), "GET /v1/connections/conn_1"],
    ["connections.delete", (p) => p.connections.delete("conn_1"), "DELETE /v1/connections/conn_1"],
    ["connections.pause", (p) => p.connections.pause("conn_1"), "POST /v1/connections/conn_1/pause"],
    ["connections.resume", (p) => p.connections.resume("conn_1"), "POST /v1/connections/conn_1/resume"],
    ["connections.test", (p) => p.connections.test("conn_1"), "POST /v1/connections/conn_1/test"],
    [
      "runs.trigger",
      (p) => p.runs.trigger({ connectionId: "conn_1", mode: "full" }),
      "POST /v1/connections/conn_1/runs",
      { mode: "full" },
    ],
    ["runs.list", (p) => p.runs.list({ connectionId: "conn_1" }), "GET /v1/runs?connectionId=conn_1"],
    ["runs.retrieve", (p) => p.runs.retrieve("run_1"), "GET /v1/runs/run_1"],
    ["runs.cancel", (p) => p.runs.cancel("run_1"), "POST /v1/runs/run_1/cancel"],
    [
      "records.list",
      (p) => p.records.list("acme", "order", { includeDeleted: true, changedAfterSeq: "7" }),
      "GET /v1/tenants/acme/records/order?includeDeleted=true&changedAfterSeq=7",
    ],
    [
      "records.retrieve",
      (p) => p.records.retrieve("acme", "order", "ord_1", { expand: "raw" }),
      "GET /v1/tenants/acme/records/order/ord_1?expand=raw",
    ],
    ["events.list", (p) => p.events.list({ from: "latest" }), "GET /v1/events?from=latest"],
    ["events.types", (p) => p.events.types(), "GET /v1/event-types"],
    ["events.retrieve", (p) => p.events.retrieve("evt_1"), "GET /v1/events/evt_1"],
    [
      "webhookEndpoints.create",
      (p) => p.webhookEndpoints.create({ url: "https://a.example" }),
      "POST /v1/webhook-endpoints",
      { url: "https://a.example" },
    ],
    ["webhookEndpoints.list", (p) => p.webhookEndpoints.list({ limit: 5 }), "GET /v1/webhook-endpoints?limit=5"],
    ["webhookEndpoints.retrieve", (p) => p.webhookEndpoints.retrieve("we_1"), "GET /v1/webhook-endpoints/we_1"],
    [
      "webhookEndpoints.update",
      (p) => p.webhookEndpoints.update("we_1", { status: "disabled" }),
      "PATCH /v1/webhook-endpoints/we_1",
      { status: "disabled" },
    ],
    ["webhookEndpoints.delete", (p) => p.webhookEndpoints.delete("we_1"), "DELETE /v1/webhook-endpoints/we_1"],
    [
      "webhookEndpoints.rotateSecret",
      (p) => p.webhookEndpoints.rotateSecret("we_1", { graceHours: 1 }),
      "POST /v1/webhook-endpoints/we_1/rotate-secret",
      { graceHours: 1 },
    ],
    [
      "webhookEndpoints.test",
      (p) => p.webhookEndpoints.test("we_1", { signWith: "newest" }),
      "POST /v1/webhook-endpoints/we_1/test",
      { signWith: "newest" },
    ],
    [
      "webhookEndpoints.attempts",
      (p) => p.webhookEndpoints.attempts("we_1"),
      "GET /v1/webhook-endpoints/we_1/attempts",
    ],
    ["deliveries.list", (p) => p.deliveries.list({ status: "failed" }), "GET /v1/deliveries?status=failed"],
    ["deliveries.retry", (p) => p.deliveries.retry("dlv_1"), "POST /v1/deliveries/dlv_1/retry"],
    ["deliveries.skip", (p) => p.deliveries.skip("dlv_1"), "POST /v1/deliveries/dlv_1/skip"],
    [
      "webhookEndpoints.previewReplay",
      (p) => p.webhookEndpoints.previewReplay("we_1", { only: "failed" }),
      "POST /v1/webhook-endpoints/we_1/replay",
      { only: "failed", dryRun: true },
    ],
    [
      "webhookEndpoints.replay",
      (p) => p.webhookEndpoints.replay("we_1", { only: "missing" }),
      "POST /v1/webhook-endpoints/we_1/replay",
      { only: "missing" },
    ],
    ["deliveries.listReplays", (p) => p.deliveries.listReplays(), "GET /v1/delivery-replays"],
    ["deliveries.retrieveReplay", (p) => p.deliveries.retrieveReplay("drp_1"), "GET /v1/delivery-replays/drp_1"],
    ["deliveries.cancelReplay", (p) => p.deliveries.cancelReplay("drp_1"), "POST /v1/delivery-replays/drp_1/cancel"],
    ["deliveries.listDeadLetters", (p) => p.deliveries.listDeadLetters(), "GET /v1/dead-letters"],
    ["inbox.list", (p) => p.inbox.list({ status: "quarantined" }), "GET /v1/inbox?status=quarantined"],
    ["inbox.retrieve", (p) => p.inbox.retrieve("inb_1"), "GET /v1/inbox/inb_1"],
    ["inbox.retrieveRaw", (p) => p.inbox.retrieveRaw("inb_1"), "GET /v1/inbox/inb_1/raw"],
    [
      "inbox.previewReplay",
      (p) => p.inbox.previewReplay({ ids: ["inb_1"] }),
      "POST /v1/inbox/replay",
      { ids: ["inb_1"], dryRun: true },
    ],
    ["inbox.replay", (p) => p.inbox.replay({ ids: ["inb_1"] }), "POST /v1/inbox/replay", { ids: ["inb_1"] }],
    ["inbox.listReplays", (p) => p.inbox.listReplays(), "GET /v1/inbox/replays"],
    ["inbox.retrieveReplay", (p) => p.inbox.retrieveReplay("irp_1"), "GET /v1/inbox/replays/irp_1"],
    ["inbox.cancelReplay", (p) => p.inbox.cancelReplay("irp_1"), "POST /v1/inbox/replays/irp_1/cancel"],
    ["providers.list", (p) => p.providers.list(), "GET /v1/providers"],
    ["providers.retrieveApp", (p) => p.providers.retrieveApp("shopify"), "GET /v1/providers/shopify/app"],
    [
      "providers.setApp",
      (p) => p.providers.setApp("shopify", { clientId: "a", clientSecret: "b" }),
      "PUT /v1/providers/shopify/app",
      { clientId: "a", clientSecret: "b" },
    ],
  ])("%s", async (_name, call, route, body) => {
    await using server = await apiServer(page);
    await call(new Patchbay({ apiKey: "k", baseUrl: server.baseUrl }));
    const [request] = server.requests;
    expect(`${request?.method} ${request?.url}`).toBe(route);
    expect(request?.body).toBe(body === undefined ? "" : JSON.stringify(body));
  });

  test.each<[string, (patchbay: Patchbay) => PromiseLike<unknown>, string]>([
    ["records.list", (p) => p.tenant("acme").records.list("order"), "/v1/tenants/acme/records/order"],
    ["records.retrieve", (p) => p.tenant("acme").records.retrieve("order", "o"), "/v1/tenants/acme/records/order/o"],
    ["connections.list", (p) => p.tenant("acme").connections.list(), "/v1/connections?tenantId=acme"],
    ["events.list", (p) => p.tenant("acme").events.list(), "/v1/events?tenantId=acme"],
    ["retrieve", (p) => p.tenant("acme").retrieve(), "/v1/tenants/acme"],
  ])("tenant().%s fills in the tenant", async (_name, call, url) => {
    await using server = await apiServer(page);
    await call(new Patchbay({ apiKey: "k", baseUrl: server.baseUrl }));
    expect(server.requests[0]?.url).toBe(url);
  });
});

test("VERSION is the version of the package", async () => {
  const manifest: unknown = JSON.parse(await readFile(new URL("../package.json", import.meta.url), "utf8"));
  expect(manifest).toMatchObject({ version: VERSION });
});
