import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { CallbackResult } from "./callback.ts";
import { createConnectKit, RETURN_URL, type TestWorkspace } from "./testing/connect-kit.ts";

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
});

describe("connecting an account", () => {
  test("by popup makes one active connection, told once", async () => {
    const session = await kit.aSession(workspace);
    const widget = kit.widget(session);
    const { id, startUrl } = await widget.start(kit.shop);
    const result = consented(await kit.browser().consent(startUrl));
    expect(result.openerOrigin).toBe(session.origin);
    const done = await widget.complete(id, result.message.completionCode);
    expect(done).toMatchObject({ status: "completed", connection: { status: "active", tenantId: "acme" } });
    expect(kit.activated).toHaveLength(1);
    expect(await kit.eventTypes(workspace)).toEqual(["connection.activated", "authorization.completed"]);
  });

  test("asks for the scopes of the models, joined by commas", async () => {
    const session = await kit.aSession(workspace, { models: ["customer", "order"] });
    const { startUrl } = await kit.widget(session).start(kit.shop);
    const url = new URL(await kit.browser().open(startUrl));
    expect(url.searchParams.get("scope")).toBe("read_customers,read_orders");
    expect(url.searchParams.get("redirect_uri")).toBe(`${kit.publicUrl}/oauth/callback/shopify`);
    expect(url.searchParams.has("code_challenge")).toBe(false);
  });

  test("asks for no less than others read of the same account", async () => {
    await connectShop();
    const session = await kit.aSession(workspace, { tenantId: "globex", models: ["customer"] });
    const { startUrl } = await kit.widget(session).start(kit.shop);
    const url = new URL(await kit.browser().open(startUrl));
    expect(url.searchParams.get("scope")).toBe("read_customers,read_inventory,read_orders,read_products");
  });

  test("has no connection before the browser proved itself", async () => {
    const session = await kit.aSession(workspace);
    const widget = kit.widget(session);
    const { id, startUrl } = await widget.start(kit.shop);
    await kit.browser().consent(startUrl);
    expect(await connectionCount()).toBe(0);
    expect(await kit.connect.getAuthorization(session, id)).toMatchObject({ status: "exchanged", connection: null });
    await expect(widget.complete(id)).rejects.toMatchObject({ code: "conflict" });
    expect(await connectionCount()).toBe(0);
  });

  test("after the person confirmed in a window without opener, the widget completes", async () => {
    const session = await kit.aSession(workspace);
    const widget = kit.widget(session);
    const { id, startUrl } = await widget.start(kit.shop);
    const window = kit.browser();
    const { confirmUrl } = consented(await window.consent(startUrl));
    const screen = await kit.connect.confirmScreen({ reference: lastOf(confirmUrl), cookies: window.cookies });
    expect(screen).toMatchObject({ endUser: "jane@acme.example", names: { hostName: "Acme Analytics" } });
    await window.confirm(confirmUrl);
    expect(await widget.complete(id)).toMatchObject({ status: "completed" });
  });

  test("by redirect comes back to the registered page with a code", async () => {
    const session = await kit.aSession(workspace);
    const { id, startUrl } = await kit.widget(session).start(kit.shop, { display: "redirect" });
    const result = await kit.browser().consent(startUrl);
    if (result.kind !== "redirect") throw new Error(result.kind);
    const url = new URL(result.url);
    expect(url.origin + url.pathname).toBe(RETURN_URL);
    expect(url.searchParams.get("pb_authorization")).toBe(id);
    const fresh = await kit.aSession(workspace);
    const completionCode = url.searchParams.get("pb_code") ?? "";
    expect(await kit.connect.completeAuthorization(fresh, id, { completionCode })).toMatchObject({
      status: "completed",
    });
  });

  test("after a reload is completed by a fresh session and the confirm screen", async () => {
    const { id, startUrl } = await kit.widget(await kit.aSession(workspace)).start(kit.shop);
    const window = kit.browser();
    const { confirmUrl } = consented(await window.consent(startUrl));
    const fresh = await kit.aSession(workspace);
    await expect(kit.connect.completeAuthorization(fresh, id, {})).rejects.toMatchObject({ code: "conflict" });
    await window.confirm(confirmUrl);
    expect(await kit.connect.completeAuthorization(fresh, id, {})).toMatchObject({ status: "completed" });
  });

  test("completed by ten calls at once is one connection", async () => {
    const widget = kit.widget(await kit.aSession(workspace));
    const { id, startUrl } = await widget.start(kit.shop);
    const { message } = consented(await kit.browser().consent(startUrl));
    const answers = await Promise.all(Array.from({ length: 10 }, () => widget.complete(id, message.completionCode)));
    expect(new Set(answers.map((answer) => answer.connection?.id)).size).toBe(1);
    expect(await connectionCount()).toBe(1);
    expect(await kit.eventTypes(workspace)).toHaveLength(2);
    expect(kit.activated).toHaveLength(1);
  });

  test("of one shop from two tenants gives two connections on one grant", async () => {
    await connectShop();
    await connectShop({ tenantId: "globex" });
    expect(await connectionCount()).toBe(2);
    expect(await liveGrantCount()).toBe(1);
  });

  test("that the tenant has already is refused", async () => {
    const first = await connectShop();
    const widget = kit.widget(await kit.aSession(workspace));
    const { id, startUrl } = await widget.start(kit.shop);
    const result = await kit.browser().consent(startUrl);
    expect(result).toMatchObject({ kind: "ended", error: "already_connected", authorizationId: id });
    expect(await connectionCount()).toBe(1);
    expect(await probe(first)).toMatchObject({ ok: true });
  });

  test("twice at the same time is one connection and one refusal", async () => {
    const widgets = [kit.widget(await kit.aSession(workspace)), kit.widget(await kit.aSession(workspace))];
    const started = await Promise.all(widgets.map((widget) => widget.start(kit.shop)));
    const codes: (string | undefined)[] = [];
    for (const { startUrl } of started)
      codes.push(consented(await kit.browser().consent(startUrl)).message.completionCode);
    const done = await Promise.all(widgets.map((widget, i) => widget.complete(started[i]?.id ?? "", codes[i])));
    expect(done.map((one) => one.error ?? one.status).toSorted()).toEqual(["already_connected", "completed"]);
    expect(await connectionCount()).toBe(1);
  });

  test("that was refused at the provider ends without one", async () => {
    const session = await kit.aSession(workspace);
    const { id, startUrl } = await kit.widget(session).start(kit.shop);
    const result = await kit.browser().consent(startUrl, "cancel");
    expect(result).toMatchObject({ kind: "ended", error: "access_denied" });
    expect(await kit.connect.getAuthorization(session, id)).toMatchObject({ status: "failed", error: "access_denied" });
    expect(await kit.eventTypes(workspace)).toEqual(["authorization.failed"]);
  });

  test("with fewer scopes than the models need names what is missing", async () => {
    const session = await kit.aSession(workspace, { tenantId: "fewer" });
    const { id, startUrl } = await kit.widget(session).start(kit.otherShop);
    const window = kit.browser();
    const consentUrl = new URL(await window.open(startUrl));
    consentUrl.searchParams.set("scope", "read_orders,read_products");
    const result = await window.comeBack(await window.decide(consentUrl.href));
    expect(result).toMatchObject({ kind: "ended", error: "missing_scopes" });
    expect((await kit.connect.getAuthorization(session, id)).missingScopes).toEqual([
      "read_customers",
      "read_inventory",
    ]);
    kit.clock.advance(61_000);
    await kit.connect.expireAuthorizations(workspace.workspaceId);
    expect(await liveGrantCount()).toBe(0);
  });
});

describe("repairing a connection", () => {
  test("keeps its id and tells that it has recovered", async () => {
    const connection = await connectShop();
    await loseTokens();
    await kit.sql`update grants set state = 'dead', dead_since = now() - interval '1 minute' where id = ${await grantId()}`;
    await kit.credentials.tellFates(workspace.workspaceId);
    const session = await kit.aSession(workspace);
    const widget = kit.widget(session);
    const { id, startUrl } = await widget.start(kit.shop, { connectionId: connection });
    const { message } = consented(await kit.browser().consent(startUrl));
    const done = await widget.complete(id, message.completionCode);
    expect(done.connection).toMatchObject({ id: connection, status: "active" });
    expect(await probe(connection)).toMatchObject({ ok: true });
    const told = await kit.eventTypes(workspace);
    expect(told.filter((type) => type === "connection.reauthorizationRequired")).toHaveLength(1);
    expect(told.filter((type) => type === "connection.recovered")).toHaveLength(1);
  });

  test("with another account is refused", async () => {
    const connection = await connectShop();
    await kit.sql`update connections set account_id = 'gid://shopify/Shop/1' where workspace_id = ${workspace.workspaceId}`;
    const { startUrl } = await kit.widget(await kit.aSession(workspace)).start(kit.shop, { connectionId: connection });
    expect(await kit.browser().consent(startUrl)).toMatchObject({ kind: "ended", error: "account_mismatch" });
  });

  test("of one that was revoked, by connecting the account again, keeps its id", async () => {
    const connection = await connectShop();
    await kit.sql`update connections set status = 'revoked' where workspace_id = ${workspace.workspaceId}`;
    const again = await connectShop();
    expect(again).toBe(connection);
    expect(await kit.eventTypes(workspace)).toContain("connection.recovered");
  });

  test("is all that a reauthorize session may do", async () => {
    const connectionId = await connectShop();
    const { token } = await kit.connect.createReauthorizeSession({
      workspaceId: workspace.workspaceId,
      body: { connectionId, endUser: { id: "jane" }, allowedOrigins: ["https://app.acme.example"] },
    });
    const session = await kit.connect.authenticateSession(token, "https://app.acme.example");
    const widget = kit.widget(session);
    await expect(widget.start(kit.shop)).rejects.toMatchObject({ code: "session_forbidden" });
    await expect(
      kit.connect.disconnect({ workspaceId: workspace.workspaceId, session }, connectionId),
    ).rejects.toMatchObject({
      code: "session_forbidden",
    });
    await expect(widget.start(kit.shop, { connectionId })).resolves.toBeDefined();
  });
});

describe("ending a connection", () => {
  test("uninstalls the app when nobody else uses it, and destroys the tokens", async () => {
    const connection = await connectShop();
    await kit.connect.disconnect(workspace, connection);
    expect(await kit.connect.getConnection(workspace, connection)).toMatchObject({ status: "disconnected" });
    expect(await liveGrantCount()).toBe(0);
    const keys = await kit.sql`select state from data_keys
      where workspace_id = ${workspace.workspaceId} and purpose = 'credential'`;
    expect(keys.map((key) => key["state"])).toEqual(["destroyed"]);
    expect(kit.ended).toHaveLength(1);
    expect(await kit.eventTypes(workspace)).toContain("connection.disconnected");
  });

  test("leaves the installation to another tenant who uses it", async () => {
    const first = await connectShop();
    const second = await connectShop({ tenantId: "globex" });
    await kit.connect.disconnect(workspace, first);
    expect(await probe(second)).toMatchObject({ ok: true });
    await kit.connect.disconnect(workspace, second);
    expect(await liveGrantCount()).toBe(0);
  });

  test("twice is told once", async () => {
    const connection = await connectShop();
    await kit.connect.disconnect(workspace, connection);
    await kit.connect.disconnect(workspace, connection);
    expect((await kit.eventTypes(workspace)).filter((type) => type === "connection.disconnected")).toHaveLength(1);
    expect(kit.ended).toHaveLength(1);
  });

  test("while the provider is down ends here at once, and there by the sweep", async () => {
    const connection = await connectShop();
    kit.sandbox.shopify.act(kit.shop, "switches", { failStatus: 502, failCount: 10 });
    const { status } = await kit.connect.disconnect(workspace, connection);
    expect(status).toBe("disconnected");
    expect(await liveGrantCount()).toBe(1);
    kit.sandbox.shopify.act(kit.shop, "calm", {});
    kit.clock.advance(61_000);
    await kit.connect.expireAuthorizations(workspace.workspaceId);
    expect(await liveGrantCount()).toBe(0);
  });

  test("and connecting again makes a new connection", async () => {
    const first = await connectShop();
    await kit.connect.disconnect(workspace, first);
    const second = await connectShop();
    expect(second).not.toBe(first);
    expect(await probe(second)).toMatchObject({ ok: true });
  });
});

describe("a connection", () => {
  test("is paused and resumed", async () => {
    const connection = await connectShop();
    expect(await kit.connect.pause(workspace, connection)).toMatchObject({ status: "paused", statusReason: "by_host" });
    expect(await kit.connect.resume(workspace, connection)).toMatchObject({ status: "active", statusReason: null });
  });

  test("whose tokens were revoked fails its test", async () => {
    const connection = await connectShop();
    await loseTokens();
    expect(await probe(connection)).toMatchObject({ ok: false, problem: "provider_unavailable" });
    await kit.sql`update grants set dead_since = dead_since - interval '1 minute' where id = ${await grantId()}`;
    expect(await probe(connection)).toMatchObject({ ok: false, problem: "reauthorization_required" });
    expect(await kit.connect.getConnection(workspace, connection)).toMatchObject({ status: "reauthorizationRequired" });
  });

  test("is shown in the session's first paint, with the provider's fields", async () => {
    const connection = await connectShop();
    const shown = await kit.connect.bootstrap(await kit.aSession(workspace));
    expect(shown.connections.map((one) => one.id)).toEqual([connection]);
    expect(shown.providers).toMatchObject([{ id: "shopify", parameters: [{ name: "shop" }] }]);
    expect(shown).toMatchObject({ hostName: "Acme Analytics", mode: "test", endUser: { id: "jane" } });
  });
});

describe("resolveParameters", () => {
  test("canonicalizes what a person types", async () => {
    const session = await kit.aSession(workspace);
    const handle = kit.shop.replace(".myshopify.com", "");
    for (const typed of [handle, kit.shop, `https://admin.shopify.com/store/${handle}`]) {
      const resolved = await kit.connect.resolveParameters(session, "shopify", { shop: typed });
      expect(resolved).toEqual({ parameters: { shop: kit.shop } });
    }
  });

  test("tells a shop that does not exist from an address that is none", async () => {
    const session = await kit.aSession(workspace);
    const resolve = (shop: string) => kit.connect.resolveParameters(session, "shopify", { shop });
    await expect(resolve("no-such-shop-anywhere")).rejects.toMatchObject({ code: "shop_not_found" });
    await expect(resolve("www.example.com")).rejects.toMatchObject({ code: "invalid_shop" });
  });
});

async function connectShop(changes: { tenantId?: string } = {}): Promise<string> {
  const widget = kit.widget(await kit.aSession(workspace, changes));
  const { id, startUrl } = await widget.start(kit.shop);
  const { message } = consented(await kit.browser().consent(startUrl));
  const done = await widget.complete(id, message.completionCode);
  if (done.connection === null) throw new Error(`not connected: ${done.error}`);
  return done.connection.id;
}

function consented(result: CallbackResult): CallbackResult & { readonly kind: "consented" } {
  if (result.kind !== "consented") throw new Error(JSON.stringify(result));
  return result;
}

function probe(connection: string) {
  return kit.connect.test(workspace, connection);
}

async function loseTokens(): Promise<void> {
  kit.sandbox.shopify.act(kit.shop, "revoke-tokens", {});
}

async function connectionCount(): Promise<number> {
  return (await kit.sql`select 1 from connections where workspace_id = ${workspace.workspaceId}`).length;
}

async function liveGrantCount(): Promise<number> {
  return (await kit.sql`select 1 from grants where workspace_id = ${workspace.workspaceId} and state <> 'ended'`)
    .length;
}

async function grantId() {
  const [row] = await kit.sql`select id from grants where workspace_id = ${workspace.workspaceId} and state <> 'ended'`;
  return row?.["id"];
}

function lastOf(url: string): string {
  return url.slice(url.lastIndexOf("/") + 1);
}
