import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { CallbackResult } from "./callback.ts";
import { ORIGIN, createConnectKit, type TestWorkspace } from "./testing/connect-kit.ts";

let kit: Awaited<ReturnType<typeof createConnectKit>>;
let workspace: TestWorkspace;

beforeAll(async () => {
  kit = await createConnectKit();
});
afterAll(() => kit[Symbol.asyncDispose]());
beforeEach(async () => {
  workspace = await kit.aWorkspace();
  kit.activated.length = 0;
  kit.ended.length = 0;
  kit.unsubscribed.length = 0;
});

describe("a repair that comes back with another account", () => {
  test("is refused, and leaves the connection as it was", async () => {
    const connection = await connectShop();
    const session = await repairSession(connection, false);
    const widget = kit.widget(session);
    const { startUrl } = await widget.start(kit.otherShop, { connectionId: connection });
    // Nobody lets it go to another shop, so it goes to its own.
    expect(await kit.browser().open(startUrl)).toContain(kit.shop);
    await renameAccount(connection);
    const again = await widget.start(kit.shop, { connectionId: connection });
    expect(await kit.browser().consent(again.startUrl)).toMatchObject({ kind: "ended", error: "account_mismatch" });
    expect(await status(connection)).toMatchObject({ status: "active" });
  });

  test("where the host allows it, ends the connection and makes its successor", async () => {
    const connection = await connectShop();
    const done = await repairWith(connection, kit.otherShop);
    expect(done).toMatchObject({ status: "completed", connection: { status: "active" } });
    const successor = done.connection?.id ?? "";
    expect(successor).not.toBe(connection);
    expect(await status(connection)).toMatchObject({ status: "disconnected", statusReason: "account_changed" });
    expect(await kit.connect.test(workspace, successor)).toMatchObject({ ok: true });
    expect(kit.ended).toHaveLength(1);
    expect(await kit.eventTypes(workspace)).toEqual([
      "connection.activated",
      "authorization.completed",
      "connection.disconnected",
      "connection.activated",
      "authorization.completed",
    ]);
    // The former account's grant was given back, nobody else using it.
    expect(await liveGrantCount()).toBe(1);
  });

  test("that the tenant has connected already changes nothing", async () => {
    const connection = await connectShop();
    await connectShop({}, kit.otherShop);
    const session = await repairSession(connection, true);
    const { startUrl } = await kit.widget(session).start(kit.otherShop, { connectionId: connection });
    expect(await kit.browser().consent(startUrl)).toMatchObject({ kind: "ended", error: "already_connected" });
    expect(await status(connection)).toMatchObject({ status: "active" });
  });

  test("allowed, but with the same account after all, is a repair like any other", async () => {
    const connection = await connectShop();
    const done = await repairWith(connection, kit.shop);
    expect(done.connection).toMatchObject({ id: connection, status: "active" });
    expect(kit.ended).toHaveLength(0);
  });
});

describe("a repair with the same account", () => {
  test("of a connection whose scopes were missing makes it healthy, and told so once", async () => {
    const connection = await connectShop();
    await kit.sql`update connections set health = 'degraded', health_causes = '{missing_scopes}',
      status_reason = 'missing_scopes' where workspace_id = ${workspace.workspaceId}`;
    kit.activated.length = 0;
    expect((await repairWith(connection, kit.shop)).connection).toMatchObject({ id: connection, health: "ok" });
    // What could not be subscribed and read is, now.
    expect(kit.activated).toHaveLength(1);
    const told = await kit.eventTypes(workspace);
    expect(told.filter((type) => type === "connection.recovered")).toHaveLength(1);
  });
});

describe("what the product does by itself", () => {
  test("an authorization whose time ended, and the grant that nobody took, are in the audit log once", async () => {
    await abandon("started");
    await abandon("exchanged");
    kit.clock.advance(15 * 60_000);
    await kit.connect.expireAuthorizations(workspace.workspaceId);
    await kit.connect.expireAuthorizations(workspace.workspaceId);
    expect(await kit.systemActs(workspace)).toEqual([
      "grant.created",
      "authorization.expired",
      "authorization.expired",
      "grant.ended",
    ]);
  });
});

describe("the installation that a live connection uses", () => {
  test.each(["started", "exchanged", "confirmed", "canceled", "refused", "expired"] as const)(
    "outlives another tenant's authorization that was left %s",
    async (how) => {
      const live = await connectShop();
      await abandon(how);
      kit.clock.advance(15 * 60_000);
      await kit.connect.expireAuthorizations(workspace.workspaceId);
      expect(await kit.connect.test(workspace, live)).toMatchObject({ ok: true });
      expect(await liveGrantCount()).toBe(1);
    },
  );

  test.each(["exchanged", "canceled"] as const)(
    "goes on at once with the pair of another tenant's authorization, and keeps it when that was left %s",
    async (how) => {
      const live = await connectShop();
      const before = await grantVersions();
      await abandon(how);
      const replaced = await grantVersions();
      expect(replaced).toEqual(before.map((version) => version + 1));
      expect(await kit.connect.test(workspace, live)).toMatchObject({ ok: true });
      kit.clock.advance(15 * 60_000);
      await kit.connect.expireAuthorizations(workspace.workspaceId);
      expect(await kit.connect.test(workspace, live)).toMatchObject({ ok: true });
      expect(await grantVersions()).toEqual(replaced);
      // The refresh token was not revoked either.
      await kit.sql`update grants set access_expires_at = now() - interval '1 minute',
        refresh_at = now() - interval '9 minutes' where workspace_id = ${workspace.workspaceId}`;
      expect(await kit.connect.test(workspace, live)).toMatchObject({ ok: true });
      expect(await grantVersions()).toEqual(replaced.map((version) => version + 1));
      expect(await kit.eventTypes(workspace)).not.toContain("connection.reauthorizationRequired");
    },
  );

  test("outlives a tenant who leaves, whose own subscriptions are taken back", async () => {
    const leaving = await connectShop();
    const staying = await connectShop({ tenantId: "globex" });
    await kit.connect.disconnect(workspace, leaving);
    expect(kit.unsubscribed).toHaveLength(1);
    expect(await kit.connect.test(workspace, staying)).toMatchObject({ ok: true });
    await kit.connect.disconnect(workspace, staying);
    // The last one's go with the installation.
    expect(kit.unsubscribed).toHaveLength(1);
    expect(await liveGrantCount()).toBe(0);
  });

  test("is not taken from a person who is at the provider just now", async () => {
    const leaving = await connectShop();
    const widget = kit.widget(await kit.aSession(workspace, { tenantId: "globex" }));
    const { id, startUrl } = await widget.start(kit.shop);
    const window = kit.browser();
    const consentUrl = await window.open(startUrl);
    await kit.connect.disconnect(workspace, leaving);
    const { message } = consented(await window.comeBack(await window.decide(consentUrl)));
    const { connection } = await widget.complete(id, message.completionCode);
    expect(await kit.connect.test(workspace, connection?.id ?? "")).toMatchObject({ ok: true });
  });

  test("goes with its last connection, once nobody is on the way to it", async () => {
    const leaving = await connectShop();
    await abandon("started");
    await kit.connect.disconnect(workspace, leaving);
    expect(await liveGrantCount()).toBe(1);
    kit.clock.advance(15 * 60_000);
    await kit.connect.expireAuthorizations(workspace.workspaceId);
    expect(await liveGrantCount()).toBe(0);
  });
});

describe("a live test", () => {
  test("names the scopes that are missing, and keeps what it found out", async () => {
    const connection = await connectShop();
    await narrow("read_orders,read_products");
    expect(await kit.connect.test(workspace, connection)).toMatchObject({
      ok: false,
      problem: "missing_scopes",
      missingScopes: ["read_customers", "read_inventory"],
    });
    expect(await status(connection)).toMatchObject({ health: "degraded", statusReason: "missing_scopes" });
    const { models } = await kit.connect.capabilities(workspace, connection);
    expect(models.find(({ model }) => model === "customer")).toMatchObject({
      read: false,
      reason: "missing_scope",
      missingScopes: ["read_customers"],
    });
    expect(models.find(({ model }) => model === "order")).toMatchObject({ read: true, reason: null });
    kit.activated.length = 0;
    await repairWith(connection, kit.shop);
    expect(await kit.connect.test(workspace, connection)).toMatchObject({ ok: true, missingScopes: [] });
    const told = await kit.eventTypes(workspace);
    expect(told.filter((type) => type === "connection.degraded")).toHaveLength(1);
    expect(told.filter((type) => type === "connection.recovered")).toHaveLength(1);
  });
});

async function connectShop(changes: { tenantId?: string } = {}, shop = kit.shop): Promise<string> {
  const widget = kit.widget(await kit.aSession(workspace, changes));
  const { id, startUrl } = await widget.start(shop);
  const { message } = consented(await kit.browser().consent(startUrl));
  const done = await widget.complete(id, message.completionCode);
  if (done.connection === null) throw new Error(`not connected: ${done.error}`);
  return done.connection.id;
}

async function repairSession(connectionId: string, allowAccountChange: boolean) {
  const { token } = await kit.connect.createReauthorizeSession({
    workspaceId: workspace.workspaceId,
    body: { connectionId, endUser: { id: "jane" }, allowedOrigins: [ORIGIN], allowAccountChange },
  });
  return kit.connect.authenticateSession(token, ORIGIN);
}

async function repairWith(connection: string, shop: string) {
  const widget = kit.widget(await repairSession(connection, true));
  const { id, startUrl } = await widget.start(shop, { connectionId: connection });
  const { message } = consented(await kit.browser().consent(startUrl));
  return widget.complete(id, message.completionCode);
}

async function abandon(how: "started" | "exchanged" | "confirmed" | "canceled" | "refused" | "expired") {
  const session = await kit.aSession(workspace, { tenantId: "globex" });
  const { id, startUrl } = await kit.widget(session).start(kit.shop);
  const window = kit.browser();
  if (how === "started") return void (await window.open(startUrl));
  const { confirmUrl } = consented(await window.consent(startUrl));
  if (how === "confirmed") await window.confirm(confirmUrl);
  if (how === "refused") await window.confirm(confirmUrl, "refuse");
  if (how === "canceled") await kit.connect.cancelAuthorization(session, id);
}

/** As if the connection had been made with another account. */
async function renameAccount(connection: string): Promise<void> {
  await kit.sql`update connections set account_id = 'gid://shopify/Shop/1'
    where workspace_id = ${workspace.workspaceId} and ended_at is null`;
  expect(await status(connection)).toMatchObject({ providerAccountId: "gid://shopify/Shop/1" });
}

/** The merchant grants less, as by installing anew from elsewhere; our tokens are of the narrower grant. */
async function narrow(scopes: string): Promise<void> {
  const widget = kit.widget(await kit.aSession(workspace, { tenantId: "narrower" }));
  const { startUrl } = await widget.start(kit.shop);
  const window = kit.browser();
  const consentUrl = new URL(await window.open(startUrl));
  consentUrl.searchParams.set("scope", scopes);
  await window.comeBack(await window.decide(consentUrl.href));
}

function status(connection: string) {
  return kit.connect.getConnection(workspace, connection);
}

function consented(result: CallbackResult): CallbackResult & { readonly kind: "consented" } {
  if (result.kind !== "consented") throw new Error(JSON.stringify(result));
  return result;
}

/** One for each live grant: every new pair counts it up. */
async function grantVersions(): Promise<readonly number[]> {
  const rows = await kit.sql`select row_version from grants
    where workspace_id = ${workspace.workspaceId} and state <> 'ended'`;
  return rows.map((row) => Number(row["row_version"]));
}

async function liveGrantCount(): Promise<number> {
  return (await kit.sql`select 1 from grants where workspace_id = ${workspace.workspaceId} and state <> 'ended'`)
    .length;
}
