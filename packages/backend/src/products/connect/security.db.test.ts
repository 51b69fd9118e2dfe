import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { shopify } from "../../connectors/shopify/index.ts";
import type { CallbackResult } from "./callback.ts";
import type { SessionContext } from "./session-context.ts";
import { withOAuth2 } from "../credentials/testing/with-oauth2.ts";
import { createConnectKit, ORIGIN, type TestWorkspace } from "./testing/connect-kit.ts";

let kit: Awaited<ReturnType<typeof createConnectKit>>;
let workspace: TestWorkspace;
let session: SessionContext;

beforeAll(async () => {
  kit = await createConnectKit();
});
afterAll(() => kit[Symbol.asyncDispose]());
beforeEach(async () => {
  workspace = await kit.aWorkspace();
  session = await kit.aSession(workspace);
});

describe("an attacker who starts and sends the link to a victim", () => {
  test("gets nothing by popup unless the victim confirms", async () => {
    const attacker = kit.widget(session);
    const { id, startUrl } = await attacker.start(kit.shop);
    const victim = kit.browser();
    const { confirmUrl, openerOrigin } = consented(await victim.consent(startUrl));
    // The victim's window posts to the host's own origin alone, so the attacker's page hears nothing.
    expect(openerOrigin).toBe(ORIGIN);
    await expect(attacker.complete(id)).rejects.toMatchObject({ code: "conflict" });
    await expect(attacker.complete(id, randomBytes(32).toString("base64url"))).rejects.toMatchObject({
      code: "access_denied",
    });
    await expect(kit.connect.completeAuthorization(session, id, {})).rejects.toMatchObject({ code: "conflict" });
    expect(await connectionCount()).toBe(0);
    await victim.confirm(confirmUrl, "refuse");
    expect(await attacker.complete(id)).toMatchObject({ status: "canceled", connection: null });
    expect(await connectionCount()).toBe(0);
  });

  test("cannot confirm in place of the victim", async () => {
    const { startUrl } = await kit.widget(session).start(kit.shop);
    const { confirmUrl } = consented(await kit.browser().consent(startUrl));
    await expect(kit.browser().confirm(confirmUrl)).rejects.toMatchObject({ code: "invalid_request" });
  });

  test("cannot make the victim's browser confirm by a forged form", async () => {
    const { startUrl } = await kit.widget(session).start(kit.shop);
    const victim = kit.browser();
    const { confirmUrl } = consented(await victim.consent(startUrl));
    const forged = {
      reference: lastOf(confirmUrl),
      cookies: victim.cookies,
      csrf: "x".repeat(43),
      answer: "connect",
    } as const;
    await expect(kit.connect.answerConfirmation(forged)).rejects.toMatchObject({ code: "invalid_request" });
  });

  test("gets nothing by redirect: the code reaches the victim's page, whose end user is another", async () => {
    const { id, startUrl } = await kit.widget(session).start(kit.shop, { display: "redirect" });
    const result = await kit.browser().consent(startUrl);
    const completionCode = (result.kind === "redirect" && new URL(result.url).searchParams.get("pb_code")) || "";
    const victim = await kit.aSession(workspace, { endUser: { id: "victim" } });
    await expect(kit.connect.completeAuthorization(victim, id, { completionCode })).rejects.toMatchObject({
      code: "authorization_not_found",
    });
    const otherTenant = await kit.aSession(workspace, { tenantId: "globex" });
    await expect(kit.connect.completeAuthorization(otherTenant, id, { completionCode })).rejects.toMatchObject({
      code: "authorization_not_found",
    });
    await expect(kit.connect.completeAuthorization(session, id, {})).rejects.toMatchObject({ code: "conflict" });
    expect(await connectionCount()).toBe(0);
  });

  test("cannot use the code of a popup without the verifier, nor the verifier of another page", async () => {
    const { id, startUrl } = await kit.widget(session).start(kit.shop);
    const { completionCode } = consented(await kit.browser().consent(startUrl)).message;
    const stolen = completionCode === undefined ? {} : { completionCode };
    await expect(kit.connect.completeAuthorization(session, id, stolen)).rejects.toMatchObject({ code: "conflict" });
    await expect(kit.widget(session).complete(id, completionCode)).rejects.toMatchObject({ code: "access_denied" });
    expect(await connectionCount()).toBe(0);
  });
});

describe("a callback is refused, without a request to the provider,", () => {
  test.each<[string, (url: URL) => void]>([
    ["without state", (url) => url.searchParams.delete("state")],
    ["with an invented state", (url) => url.searchParams.set("state", "x".repeat(95))],
    ["with two states", (url) => url.searchParams.append("state", url.searchParams.get("state") ?? "")],
    ["with a state whose random part was changed", changeState(-1)],
    ["with a state of another workspace", changeState(3)],
    ["with a state of another authorization", changeState(30)],
  ])("%s", async (_, change) => {
    const { window, back, id } = await atCallback();
    change(back);
    await expect(window.comeBack(back)).rejects.toMatchObject({ code: "authorization_not_found" });
    expect(await kit.connect.getAuthorization(session, id)).toMatchObject({ status: "started" });
  });

  test("in another browser", async () => {
    const { back, window } = await atCallback();
    await expect(kit.browser().comeBack(back)).rejects.toMatchObject({ code: "invalid_request" });
    // The right browser can still come back.
    consented(await window.comeBack(back));
  });

  test("the second time", async () => {
    const { window, back } = await atCallback();
    consented(await window.comeBack(back));
    await expect(window.comeBack(back)).rejects.toMatchObject({ code: "authorization_used" });
  });

  test("of two at once, one", async () => {
    const { window, back, id } = await atCallback();
    await openAllConnections(id);
    const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => window.comeBack(back)));
    expect(outcomes.filter((outcome) => outcome.status === "fulfilled")).toHaveLength(1);
  });

  test("for another provider", async () => {
    const { window, back } = await atCallback();
    const input = { query: back.searchParams, cookies: window.cookies, secFetchDest: "document" };
    await expect(kit.connect.callback({ ...input, provider: "hubspot" })).rejects.toMatchObject({
      code: "authorization_not_found",
    });
  });

  test.each(["iframe", "image", "empty"])("as %s", async (secFetchDest) => {
    const { window, back } = await atCallback();
    const input = { provider: "shopify", query: back.searchParams, cookies: window.cookies };
    await expect(kit.connect.callback({ ...input, secFetchDest })).rejects.toMatchObject({ code: "invalid_request" });
  });

  test("after ten minutes", async () => {
    const { window, back } = await atCallback();
    kit.clock.advance(10 * 60_000);
    await expect(window.comeBack(back)).rejects.toMatchObject({ code: "authorization_expired" });
  });

  test("after it was canceled", async () => {
    const { window, back, id } = await atCallback();
    await kit.connect.cancelAuthorization(session, id);
    await expect(window.comeBack(back)).rejects.toMatchObject({ code: "authorization_used" });
  });
});

describe("a callback whose provider's signature", () => {
  test.each<[string, (url: URL) => void, string]>([
    ["is missing", (url) => url.searchParams.delete("hmac"), "unknown"],
    ["does not cover the code", (url) => url.searchParams.set("code", "another"), "unknown"],
    ["does not cover the shop", (url) => url.searchParams.set("shop", kit.otherShop), "unknown"],
  ])("%s ends the authorization without an exchange", async (_, change, error) => {
    const { window, back, id } = await atCallback();
    change(back);
    expect(await window.comeBack(back)).toMatchObject({ kind: "ended", error });
    expect(await kit.connect.getAuthorization(session, id)).toMatchObject({ status: "failed", error });
    expect(await grantCount()).toBe(0);
  });

  test("is two minutes old ends it too", async () => {
    const { window, back } = await atCallback();
    kit.clock.advance(120_000);
    expect(await window.comeBack(back)).toMatchObject({ kind: "ended", error: "unknown" });
    expect(await grantCount()).toBe(0);
  });

  test("is right, but for another shop, ends it too", async () => {
    const { startUrl } = await kit.widget(session).start(kit.shop);
    const window = kit.browser();
    const elsewhere = (await window.open(startUrl)).replace(kit.shop, kit.otherShop);
    expect(await window.comeBack(await window.decide(elsewhere))).toMatchObject({
      kind: "ended",
      error: "account_mismatch",
    });
    expect(await grantCount()).toBe(0);
  });
});

describe("a start link", () => {
  test("works once", async () => {
    const { startUrl } = await kit.widget(session).start(kit.shop);
    await kit.browser().open(startUrl);
    await expect(kit.browser().open(startUrl)).rejects.toMatchObject({ code: "authorization_used", status: 410 });
  });

  test("works once when opened five times at once", async () => {
    const { id, startUrl } = await kit.widget(session).start(kit.shop);
    await openAllConnections(id);
    const opened = await Promise.allSettled(Array.from({ length: 5 }, () => kit.browser().open(startUrl)));
    expect(opened.filter((one) => one.status === "fulfilled")).toHaveLength(1);
  });

  test("works for a minute", async () => {
    const { startUrl } = await kit.widget(session).start(kit.shop);
    kit.clock.advance(60_000);
    await expect(kit.browser().open(startUrl)).rejects.toMatchObject({ code: "authorization_expired", status: 410 });
  });

  test("that was changed leads nowhere", async () => {
    const { startUrl } = await kit.widget(session).start(kit.shop);
    await expect(kit.browser().open(flip(startUrl, -1))).rejects.toMatchObject({ code: "authorization_not_found" });
    await expect(kit.browser().open(`${kit.publicUrl}/oauth/start/x`)).rejects.toMatchObject({
      code: "authorization_not_found",
    });
  });

  test("holds no session token", async () => {
    const { startUrl } = await kit.widget(session).start(kit.shop);
    expect(startUrl).not.toContain("cst_");
  });
});

describe("an authorization that nobody finished", () => {
  test("expires, is told, and its tokens are given back", async () => {
    const { id, startUrl } = await kit.widget(session).start(kit.shop);
    consented(await kit.browser().consent(startUrl));
    expect(await grantCount()).toBe(1);
    kit.clock.advance(11 * 60_000);
    await kit.connect.expireAuthorizations(workspace.workspaceId);
    await kit.connect.expireAuthorizations(workspace.workspaceId);
    expect(await grantCount()).toBe(0);
    expect(await kit.eventTypes(workspace)).toEqual(["authorization.expired"]);
    const fresh = await kit.aSession(workspace);
    expect(await kit.connect.getAuthorization(fresh, id)).toMatchObject({ status: "expired" });
  });

  test("leaves the tokens to a connection that uses them", async () => {
    const widget = kit.widget(session);
    const first = await widget.start(kit.shop);
    const { message } = consented(await kit.browser().consent(first.startUrl));
    const { connection } = await widget.complete(first.id, message.completionCode);
    const other = await kit.aSession(workspace, { tenantId: "globex" });
    const second = await kit.widget(other).start(kit.shop);
    consented(await kit.browser().consent(second.startUrl));
    kit.clock.advance(11 * 60_000);
    await kit.connect.expireAuthorizations(workspace.workspaceId);
    expect(await kit.connect.test(workspace, connection?.id ?? "")).toMatchObject({ ok: true });
  });

  test("is deleted after a month, its session after a day", async () => {
    await kit.widget(session).start(kit.shop);
    kit.clock.advance(31 * 86_400_000);
    await kit.connect.expireAuthorizations(workspace.workspaceId);
    for (const table of ["authorizations", "connect_sessions"]) {
      const rows = await kit.sql`select 1 from ${kit.sql(table)} where workspace_id = ${workspace.workspaceId}`;
      expect(rows).toHaveLength(0);
    }
    kit.clock.advance(-31 * 86_400_000);
  });

  test("cannot be completed late", async () => {
    const widget = kit.widget(session);
    const { id, startUrl } = await widget.start(kit.shop);
    const { message } = consented(await kit.browser().consent(startUrl));
    kit.clock.advance(10 * 60_000);
    await expect(widget.complete(id, message.completionCode)).rejects.toMatchObject({ code: "authorization_expired" });
  });
});

describe("a session", () => {
  test("ends after 15 minutes", async () => {
    const token = await mint();
    kit.clock.advance(15 * 60_000);
    await expect(kit.connect.authenticateSession(token, ORIGIN)).rejects.toMatchObject({ code: "session_expired" });
  });

  test.each([
    null,
    "https://app.acme.example.evil.example",
    "http://app.acme.example",
    "https://app.acme.example:8443",
  ])("is refused from %s", async (origin) => {
    await expect(kit.connect.authenticateSession(await mint(), origin)).rejects.toMatchObject({
      code: "origin_not_allowed",
    });
  });

  test("is not known by a token that was changed", async () => {
    const token = await mint();
    for (const at of [-1, 12]) {
      await expect(kit.connect.authenticateSession(flip(token, at), ORIGIN)).rejects.toMatchObject({
        code: "unauthenticated",
      });
    }
  });

  test("is kept as a hash", async () => {
    const token = await mint();
    const rows = await kit.sql`select row_to_json(s)::text as text from connect_sessions s
      where workspace_id = ${workspace.workspaceId}`;
    expect(rows.map((row) => row["text"]).join()).not.toContain(token.slice(-20));
  });

  test("does not see another tenant's connections", async () => {
    const widget = kit.widget(session);
    const { id, startUrl } = await widget.start(kit.shop);
    const { message } = consented(await kit.browser().consent(startUrl));
    const { connection } = await widget.complete(id, message.completionCode);
    const other = await kit.aSession(workspace, { tenantId: "globex" });
    const who = { workspaceId: workspace.workspaceId, session: other };
    await expect(kit.connect.getConnection(who, connection?.id ?? "")).rejects.toMatchObject({
      code: "connection_not_found",
    });
    await expect(kit.connect.disconnect(who, connection?.id ?? "")).rejects.toMatchObject({
      code: "connection_not_found",
    });
    expect((await kit.connect.bootstrap(other)).connections).toEqual([]);
  });

  test("returns to registered pages only", async () => {
    await expect(kit.aSession(workspace, { returnUrl: "https://evil.example/" })).rejects.toMatchObject({
      code: "invalid_request",
    });
  });

  test("starts at most 20 authorizations", async () => {
    const widget = kit.widget(session);
    for (let count = 0; count < 20; count++) await widget.start(kit.shop);
    await expect(widget.start(kit.shop)).rejects.toMatchObject({ code: "rate_limited", status: 429 });
    await expect(widget.start(kit.shop)).rejects.toHaveProperty("retryAfterSeconds");
  });

  test("of one person makes at most 60 calls a minute", async () => {
    const resolve = () => kit.connect.resolveParameters(session, "shopify", { shop: "www.example.com" });
    for (let count = 0; count < 60; count++) await expect(resolve()).rejects.toMatchObject({ code: "invalid_shop" });
    await expect(resolve()).rejects.toMatchObject({ code: "rate_limited" });
    kit.clock.advance(61_000);
    await expect(resolve()).rejects.toMatchObject({ code: "invalid_shop" });
  });
});

describe("with a provider that takes PKCE and an https public URL", () => {
  test("verifier and challenge belong together, and the cookie is bound to the host", async () => {
    await using tls = await createConnectKit({
      publicUrl: "https://connect.example",
      connector: withOAuth2(shopify, { pkce: true }),
    });
    const there = await tls.aWorkspace();
    const widget = tls.widget(await tls.aSession(there));
    const { id, startUrl } = await widget.start(tls.shop);
    const window = tls.browser();
    const consentUrl = new URL(await window.open(startUrl));
    expect(consentUrl.searchParams.get("code_challenge_method")).toBe("S256");
    expect(Object.keys(window.cookies)).toEqual([expect.stringMatching(/^__Host-patchbay_[0-9a-z]{26}$/)]);
    const [row] = await tls.sql`select pkce_verifier from authorizations where workspace_id = ${there.workspaceId}`;
    expect(row?.["pkce_verifier"].length).toBe(43 + 58);
    const result = consented(await window.comeBack(await window.decide(consentUrl.href)));
    expect(await widget.complete(id, result.message.completionCode)).toMatchObject({ status: "completed" });
  });
});

async function atCallback() {
  const { id, startUrl } = await kit.widget(session).start(kit.shop);
  const window = kit.browser();
  return { id, window, back: await window.decide(await window.open(startUrl)) };
}

/** Else calls that start together come one after the other, since the pool opens its connections as they are needed. */
async function openAllConnections(id: string): Promise<void> {
  await Promise.all(Array.from({ length: 16 }, () => kit.connect.getAuthorization(session, id)));
}

async function mint(): Promise<string> {
  const { token } = await kit.connect.createSession({
    workspaceId: workspace.workspaceId,
    body: { tenantId: "acme", endUser: { id: "jane" }, allowedOrigins: [ORIGIN] },
  });
  return token;
}

function changeState(at: number): (url: URL) => void {
  return (url) => url.searchParams.set("state", flip(url.searchParams.get("state") ?? "", at));
}

/** `text` with one character changed into another that may stand there. */
function flip(text: string, at: number): string {
  const index = at < 0 ? text.length + at : at;
  return text.slice(0, index) + (text[index] === "0" ? "4" : "0") + text.slice(index + 1);
}

function consented(result: CallbackResult): CallbackResult & { readonly kind: "consented" } {
  if (result.kind !== "consented") throw new Error(JSON.stringify(result));
  return result;
}

async function connectionCount(): Promise<number> {
  return (await kit.sql`select 1 from connections where workspace_id = ${workspace.workspaceId}`).length;
}

async function grantCount(): Promise<number> {
  return (await kit.sql`select 1 from grants where workspace_id = ${workspace.workspaceId} and state <> 'ended'`)
    .length;
}

function lastOf(url: string): string {
  return url.slice(url.lastIndexOf("/") + 1);
}
