import type { ModelName } from "@patchbay/shared";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createConnectKit, type TestWorkspace } from "./testing/connect-kit.ts";

const SCOPES = "read_customers,read_products,read_inventory,read_orders";
const DAY_MS = 24 * 3_600_000;

let kit: Awaited<ReturnType<typeof createConnectKit>>;
let workspace: TestWorkspace;
beforeAll(async () => {
  kit = await createConnectKit();
});
afterAll(() => kit[Symbol.asyncDispose]());
beforeEach(async () => {
  workspace = await kit.aWorkspace();
  await kit.aSession(workspace);
  await kit.aSession(workspace, { tenantId: "bolt" });
  kit.activated.length = 0;
});

describe("a custom app's token", () => {
  test("connects the account at once: one connection, active, told once", async () => {
    const connection = await handOver({ accessToken: aCustomApp().accessToken });
    expect(connection).toMatchObject({ status: "active", provider: "shopify", tenantId: "acme" });
    expect(await kit.eventTypes(workspace)).toEqual(["connection.activated"]);
    expect(kit.activated).toHaveLength(1);
    expect(await grantsOf()).toMatchObject([{ auth_method: "custom_app", refresh_at: null, access_expires_at: null }]);
    expect(await kit.connect.test(workspace, connection.id)).toMatchObject({ ok: true });
  });

  test.each<[string, Record<string, string>, string]>([
    ["is missing", {}, "fields.accessToken"],
    ["begins like another kind of key", { accessToken: `shprt_${"a".repeat(32)}` }, "fields.accessToken"],
    ["is cut short", { accessToken: "shpat_12" }, "fields.accessToken"],
    ["comes with something nobody asked for", { accessToken: `shpat_${"a".repeat(32)}`, url: "x" }, "fields.url"],
  ])("that %s is refused before anything is sent, and not quoted", async (_, fields, path) => {
    const error = await handOver(fields).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: "invalid_credentials" });
    expect(JSON.stringify(error)).toContain(path);
    if (fields["accessToken"] !== undefined) expect(JSON.stringify(error)).not.toContain(fields["accessToken"]);
    expect(await grantsOf()).toEqual([]);
  });

  test("that the provider does not know is refused, and nothing is stored", async () => {
    await expect(handOver({ accessToken: `shpat_${"0".repeat(32)}` })).rejects.toMatchObject({
      code: "invalid_credentials",
    });
    expect(await grantsOf()).toEqual([]);
    expect(await kit.eventTypes(workspace)).toEqual([]);
  });

  test("without the rights that the models need is refused, and nothing is stored", async () => {
    const { accessToken } = aCustomApp("read_products");
    await expect(handOver({ accessToken })).rejects.toMatchObject({ code: "missing_scopes" });
    expect(await grantsOf()).toEqual([]);
    expect(await handOver({ accessToken }, { models: ["account"] })).toMatchObject({ status: "active" });
  });

  test("handed over again takes the former one's place in the same connection", async () => {
    const first = await handOver({ accessToken: aCustomApp().accessToken });
    const second = await handOver({ accessToken: aCustomApp().accessToken });
    expect(second.id).toBe(first.id);
    expect(await grantsOf()).toMatchObject([{ row_version: 2 }]);
    expect(await kit.eventTypes(workspace)).toEqual(["connection.activated"]);
  });

  test("of two tenants with one account are two grants: neither reads with the other's", async () => {
    await handOver({ accessToken: aCustomApp().accessToken });
    await handOver({ accessToken: aCustomApp().accessToken }, { tenantId: "bolt" });
    const grants = await grantsOf();
    expect(grants).toHaveLength(2);
    expect(new Set(grants.map((grant) => grant["owner_tenant_uid"])).size).toBe(2);
  });

  test("that stops working needs a person; a new one repairs the connection", async () => {
    const connection = await handOver({ accessToken: aCustomApp().accessToken });
    kit.sandbox.shopify.act(kit.shop, "revoke-tokens");
    expect(await kit.connect.test(workspace, connection.id)).toMatchObject({ problem: "reauthorization_required" });
    expect(await kit.connect.getConnection(workspace, connection.id)).toMatchObject({
      status: "reauthorizationRequired",
    });
    const repaired = await handOver({ accessToken: aCustomApp().accessToken });
    expect(repaired).toMatchObject({ id: connection.id, status: "active" });
    expect(await kit.eventTypes(workspace)).toEqual([
      "connection.activated",
      "connection.reauthorizationRequired",
      "connection.recovered",
    ]);
    const tenant_uid = await kit.tenantUid(workspace, "acme");
    expect(await facts()).toEqual([
      { action: "grant.created", actor_kind: "system", target_type: "grant", tenant_uid },
      { action: "connection.credentials_died", actor_kind: "provider", target_type: "connection", tenant_uid },
      { action: "grant.died", actor_kind: "provider", target_type: "grant", tenant_uid: null },
      { action: "grant.replaced", actor_kind: "system", target_type: "grant", tenant_uid },
      { action: "connection.recovered", actor_kind: "system", target_type: "connection", tenant_uid },
      { action: "grant.revived", actor_kind: "system", target_type: "grant", tenant_uid: null },
    ]);
  });
});

describe("client credentials", () => {
  test("are a token for a day, asked for again when it ends", async () => {
    const { clientId, apiSecret } = aCustomApp();
    const connection = await handOver({ clientId, clientSecret: apiSecret }, { method: "client_credentials" });
    const [before] = await grantsOf();
    expect(before).toMatchObject({ auth_method: "client_credentials", refresh_expires_at: null });
    kit.clock.advance(DAY_MS);
    const target = { workspaceId: workspace.workspaceId, grantId: before?.["id"] };
    const callers = await Promise.all(Array.from({ length: 20 }, () => kit.credentials.accessToken(target)));
    expect(new Set(callers.map((each) => ("token" in each ? each.token.reveal() : each))).size).toBe(1);
    expect(await kit.connect.test(workspace, connection.id)).toMatchObject({ ok: true });
    expect(await grantsOf()).toMatchObject([{ row_version: 2, state: "active" }]);
  });

  test("that the provider refuses are refused, and nothing is stored", async () => {
    const { clientId } = aCustomApp();
    const fields = { clientId, clientSecret: "wrong" };
    await expect(handOver(fields, { method: "client_credentials" })).rejects.toMatchObject({
      code: "invalid_credentials",
    });
    expect(await grantsOf()).toEqual([]);
  });

  test("that end at the provider need a person", async () => {
    const { clientId, apiSecret } = aCustomApp();
    const connection = await handOver({ clientId, clientSecret: apiSecret }, { method: "client_credentials" });
    const other = { clientId, clientSecret: "another-secret", redirectUris: ["http://localhost:*"] };
    kit.sandbox.shopify.registerApp(other);
    kit.clock.advance(DAY_MS);
    expect(await kit.connect.test(workspace, connection.id)).toMatchObject({ problem: "reauthorization_required" });
    expect((await kit.connect.getConnection(workspace, connection.id)).status).toBe("reauthorizationRequired");
  });
});

test("an account that works by another method is not turned over", async () => {
  const { clientId, apiSecret, accessToken } = aCustomApp();
  await handOver({ accessToken });
  await expect(handOver({ clientId, clientSecret: apiSecret }, { method: "client_credentials" })).rejects.toMatchObject(
    { code: "already_connected" },
  );
});

test.each([
  ["shopify", "oauth2", "invalid_request"],
  ["shopify", "none", "invalid_request"],
  ["nobody", "custom_app", "provider_not_found"],
])("%s by %s is refused", async (provider, method, code) => {
  await expect(handOver({}, { provider, method })).rejects.toMatchObject({ code });
});

function aCustomApp(scopes = SCOPES): { clientId: string; accessToken: string; apiSecret: string } {
  const made = kit.sandbox.shopify.act(kit.shop, "custom-app", { scopes });
  return {
    clientId: String(made["clientId"]),
    accessToken: String(made["accessToken"]),
    apiSecret: String(made["apiSecret"]),
  };
}

function handOver(
  fields: Record<string, string>,
  changes: { method?: string; provider?: string; tenantId?: string; models?: readonly ModelName[] } = {},
) {
  return kit.connect.connectWithCredentials({
    ...workspace,
    tenantId: "acme",
    provider: "shopify",
    method: "custom_app",
    parameters: { shop: kit.shop },
    fields,
    ...changes,
  });
}

async function grantsOf() {
  return kit.sql`select * from grants where workspace_id = ${workspace.workspaceId} order by created_at`;
}

function facts() {
  return kit.sql`
    select action, actor_kind, target_type, tenant_uid from audit_entries
    where workspace_id = ${workspace.workspaceId} and action ~ '^(grant|connection)[.]' and kind = 'fact'
    order by sequence`;
}
