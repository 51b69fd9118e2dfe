import type { ExportedCredentials, ImportConnection, ImportedTokens, RecipientKey } from "@patchbay/shared";
import { compactDecrypt } from "jose";
import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { foreignTokens } from "../../../../../test/harness/foreign-tokens.ts";
import { createConnectKit, type TestWorkspace } from "./testing/connect-kit.ts";

let kit: Awaited<ReturnType<typeof createConnectKit>>;
let workspace: TestWorkspace;
beforeAll(async () => {
  kit = await createConnectKit();
});
afterAll(() => kit[Symbol.asyncDispose]());
beforeEach(async () => {
  workspace = await kit.aWorkspace();
  await kit.aSession(workspace);
  await kit.aSession(workspace, { tenantId: "globex" });
  kit.activated.length = 0;
  kit.unsubscribed.length = 0;
});

describe("an import", () => {
  test("of working tokens makes an active connection, told once, and uses nothing up", async () => {
    const tokens = await anotherSystem();
    const connection = await take({ tokens });
    expect(connection).toMatchObject({ status: "active", health: "ok", tenantId: "acme" });
    expect(kit.activated).toHaveLength(1);
    expect(await kit.eventTypes(workspace)).toEqual(["connection.activated"]);
    expect(await works(tokens.refreshToken)).toBe(true);
  });

  test("of an expired access token takes the refresh token over", async () => {
    const tokens = await anotherSystem();
    const expiresAt = new Date(kit.clock.now().getTime() - 1_000).toISOString();
    const connection = await take({ tokens: { ...tokens, expiresAt } });
    expect(await kit.connect.test(workspace, connection.id)).toMatchObject({ ok: true });
    await age();
    expect(await kit.connect.test(workspace, connection.id)).toMatchObject({ ok: true });
  });

  test("of a refresh token alone is enough", async () => {
    const { refreshToken } = await anotherSystem();
    expect(await take({ tokens: { refreshToken } })).toMatchObject({ status: "active" });
  });

  test("of a token whose end nobody tells is refreshed within minutes", async () => {
    const { expiresAt: _, ...tokens } = await anotherSystem();
    await take({ tokens });
    const [grant] = await kit.sql`select refresh_at from grants where workspace_id = ${workspace.workspaceId}`;
    expect(grant?.["refresh_at"].getTime()).toBeLessThan(kit.clock.now().getTime() + 5 * 60_000);
  });

  test.each<[string, () => Promise<Partial<ImportConnection>>, string]>([
    [
      "that nobody knows",
      async () => ({ tokens: { accessToken: "shpat_0", refreshToken: "shprt_0" } }),
      "invalid_credentials",
    ],
    [
      "without the scopes that the models need",
      async () => ({ tokens: await anotherSystem("read_products") }),
      "missing_scopes",
    ],
    [
      "that open another account than was named",
      async () => ({ tokens: await anotherSystem(), providerAccountId: "gid://shopify/Shop/1" }),
      "account_mismatch",
    ],
    [
      "of no shop",
      async () => ({ tokens: await anotherSystem(), parameters: { shop: "evil.example" } }),
      "invalid_shop",
    ],
    [
      "of a tenant that is not there",
      async () => ({ tokens: await anotherSystem(), tenantId: "nobody" }),
      "tenant_not_found",
    ],
  ])("of tokens %s stores nothing", async (_, change, code) => {
    const changes = await change();
    await expect(take(changes)).rejects.toMatchObject({ code });
    expect(await grants()).toHaveLength(0);
    expect(await kit.eventTypes(workspace)).toEqual([]);
  });

  test("refused after the refresh token was used says so, and only then", async () => {
    const tokens = await anotherSystem("read_products");
    const expiresAt = new Date(kit.clock.now().getTime() - 1_000).toISOString();
    const used = { code: "missing_scopes", message: expect.stringContaining("the refresh token was used") };
    await expect(take({ tokens })).rejects.not.toMatchObject(used);
    await expect(take({ tokens: { ...tokens, expiresAt } })).rejects.toMatchObject(used);
    expect(await grants()).toHaveLength(0);
  });

  test("repeated is the same connection, and older tokens do not take the place of ours", async () => {
    const tokens = await anotherSystem();
    const first = await take({ tokens });
    await age();
    // We refresh: what the other system still holds is now the older pair.
    expect(await kit.connect.test(workspace, first.id)).toMatchObject({ ok: true });
    await kit.credentials.settled();
    const [before] = await grants();
    const again = await take({ tokens });
    expect(again.id).toBe(first.id);
    expect((await grants())[0]?.["row_version"]).toBe(before?.["row_version"]);
    expect(await kit.eventTypes(workspace)).toEqual(["connection.activated"]);
  });

  test("repairs a connection whose tokens died", async () => {
    const first = await take({ tokens: await anotherSystem() });
    kit.sandbox.shopify.act(kit.shop, "revoke-tokens");
    await kit.connect.test(workspace, first.id);
    await kit.sql`update grants set dead_since = dead_since - interval '1 minute'
      where workspace_id = ${workspace.workspaceId}`;
    await kit.connect.test(workspace, first.id);
    expect(await status(first.id)).toMatchObject({ status: "reauthorizationRequired" });
    expect(await take({ tokens: await anotherSystem() })).toMatchObject({ id: first.id, status: "active" });
    expect(await kit.eventTypes(workspace)).toContain("connection.recovered");
  });

  test("of another tenant's shop shares its grant", async () => {
    const tokens = await anotherSystem();
    await take({ tokens });
    await take({ tokens, tenantId: "globex" });
    expect(await grants()).toHaveLength(1);
  });

  test.each([
    ["down", { failCount: 5, failStatus: 502 }],
    ["throttling", { throttleNext: 5 }],
  ])(
    "that cannot try the tokens we hold, the provider being %s, leaves them and their users alone",
    async (_, switches) => {
      const tokens = await anotherSystem();
      const mine = await take({ tokens });
      const before = await grants();
      // The tokens given prove themselves before.
      kit.afterAnswer(() => kit.sandbox.shopify.act(kit.shop, "switches", switches));
      await expect(take({ tokens, tenantId: "globex" })).rejects.toMatchObject({ code: "provider_unavailable" });
      kit.sandbox.shopify.act(kit.shop, "calm");
      expect(await grants()).toEqual(before);
      expect(await kit.sql`select 1 from connections where workspace_id = ${workspace.workspaceId}`).toHaveLength(1);
      expect(await kit.connect.test(workspace, mine.id)).toMatchObject({ ok: true });
      expect(await take({ tokens, tenantId: "globex" })).toMatchObject({ status: "active" });
      expect(await grants()).toEqual(before);
    },
  );
});

describe("an export", () => {
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });

  test.each([
    ["RSA", rsa, "RSA-OAEP-256"],
    ["EC", ec, "ECDH-ES+A256KW"],
  ])("to an %s key opens with its private half alone, and works when imported", async (_, pair, alg) => {
    const connection = await take({ tokens: await anotherSystem() });
    const { jwe, handedOver } = await give(connection.id, pair.publicKey);
    expect(handedOver).toBe(false);
    const { header, content } = await open(jwe, pair.privateKey);
    expect(header).toMatchObject({ alg, enc: "A256GCM" });
    expect(content).toMatchObject({
      version: 1,
      connectionId: connection.id,
      tenantId: "acme",
      provider: "shopify",
      method: "oauth2",
      parameters: { shop: kit.shop },
      providerAccountId: connection.providerAccountId,
    });
    const other =
      pair === rsa
        ? generateKeyPairSync("rsa", { modulusLength: 2048 })
        : generateKeyPairSync("ec", { namedCurve: "P-256" });
    await expect(open(jwe, other.privateKey)).rejects.toThrow();
    expect(await status(connection.id)).toMatchObject({ status: "active" });
    // As another deployment would.
    const there = await kit.aWorkspace();
    await kit.aSession(there);
    const { tenantId, provider, method, parameters, models, providerAccountId, credentials } = content;
    const moved = await kit.connect.importConnection({
      workspaceId: there.workspaceId,
      body: { tenantId, provider, method, parameters, models, providerAccountId, ...credentials },
    });
    expect(moved).toMatchObject({ status: "active", providerAccountId });
  });

  test.each<[string, RecipientKey]>([
    ["with its private members", jwkOf(rsa.privateKey)],
    ["of 1024 bits", jwkOf(generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey)],
    ["for signatures", { ...jwkOf(rsa.publicKey), use: "sig" }],
    ["on a curve of no use here", jwkOf(generateKeyPairSync("ec", { namedCurve: "secp256k1" }).publicKey)],
    ["that is a shared secret", { kty: "oct", k: "c2VjcmV0" } as unknown as RecipientKey],
    ["that is none", { kty: "RSA", n: "AQAB" }],
  ])("to a key %s is refused before anything is opened", async (_, publicKey) => {
    const connection = await take({ tokens: await anotherSystem() });
    const body = { publicKey, handOver: true };
    await expect(
      kit.connect.exportConnection({ workspaceId: workspace.workspaceId, id: connection.id, body }),
    ).rejects.toMatchObject({ code: "invalid_request" });
    expect(await status(connection.id)).toMatchObject({ status: "active" });
  });

  test("that hands over pauses the connection and ends our refreshing", async () => {
    const connection = await take({ tokens: await anotherSystem() });
    const { content } = await open((await give(connection.id, rsa.publicKey, true)).jwe, rsa.privateKey);
    expect(await status(connection.id)).toMatchObject({ status: "paused", statusReason: "handed_over" });
    expect(kit.unsubscribed).toHaveLength(1);
    await age();
    await kit.credentials.keepGrantsAlive(workspace.workspaceId);
    expect(await kit.connect.test(workspace, connection.id)).toMatchObject({ ok: false, problem: "handed_over" });
    expect((await grants())[0]).toMatchObject({ row_version: 1, state: "active" });
    if (!("tokens" in content.credentials)) throw new Error("no tokens");
    expect(await works(content.credentials.tokens.refreshToken)).toBe(true);
  });

  test("that hands over leaves the installation to the host when the connection is disconnected", async () => {
    const connection = await take({ tokens: await anotherSystem() });
    const { content } = await open((await give(connection.id, rsa.publicKey, true)).jwe, rsa.privateKey);
    await kit.connect.disconnect(workspace, connection.id);
    expect((await grants())[0]).toMatchObject({ state: "ended", tokens: null });
    if (!("tokens" in content.credentials)) throw new Error("no tokens");
    expect(await works(content.credentials.tokens.refreshToken)).toBe(true);
  });

  test("that hands over is given again when asked for again, and taken back by resuming", async () => {
    const connection = await take({ tokens: await anotherSystem() });
    await give(connection.id, rsa.publicKey, true);
    await give(connection.id, rsa.publicKey, true);
    kit.activated.length = 0;
    const session = await kit.aSession(workspace);
    const who = { workspaceId: workspace.workspaceId, session };
    await expect(kit.connect.resume(who, connection.id)).rejects.toMatchObject({ code: "session_forbidden" });
    expect(await kit.connect.resume(workspace, connection.id)).toMatchObject({ status: "active", statusReason: null });
    expect(kit.activated).toHaveLength(1);
    await age();
    expect(await kit.connect.test(workspace, connection.id)).toMatchObject({ ok: true });
  });

  test("that hands over what another tenant uses is refused", async () => {
    const tokens = await anotherSystem();
    const connection = await take({ tokens });
    await take({ tokens, tenantId: "globex" });
    await expect(give(connection.id, rsa.publicKey, true)).rejects.toMatchObject({ code: "conflict" });
    expect(await status(connection.id)).toMatchObject({ status: "active" });
    expect(kit.unsubscribed).toHaveLength(0);
  });

  test("that hands over is not undone by who was about to share it", async () => {
    const connection = await take({ tokens: await anotherSystem() });
    const widget = kit.widget(await kit.aSession(workspace, { tenantId: "globex" }));
    const { id, startUrl } = await widget.start(kit.shop);
    const result = await kit.browser().consent(startUrl);
    if (result.kind !== "consented") throw new Error(`consent ended in ${result.kind}`);
    await give(connection.id, rsa.publicKey, true);
    const done = await widget.complete(id, result.message.completionCode);
    expect(done).toMatchObject({ status: "failed", error: "authorization_expired", connection: null });
    expect(await status(connection.id)).toMatchObject({ status: "paused", statusReason: "handed_over" });
  });

  test("of what is being refreshed waits for the new pair", async () => {
    const connection = await take({ tokens: await anotherSystem() });
    await kit.sql`update grants set state = 'refreshing', lease_until = now() + interval '10 s'
      where workspace_id = ${workspace.workspaceId}`;
    await expect(give(connection.id, rsa.publicKey)).rejects.toMatchObject({ code: "request_in_flight" });
  });

  test("of what was disconnected gives nothing", async () => {
    const connection = await take({ tokens: await anotherSystem() });
    await kit.connect.disconnect(workspace, connection.id);
    await expect(give(connection.id, rsa.publicKey)).rejects.toMatchObject({ code: "connection_not_active" });
  });
});

/** As the system holds them that the host comes from. */
async function anotherSystem(
  scope?: string,
): Promise<Required<Pick<ImportedTokens, "accessToken" | "refreshToken" | "expiresAt">>> {
  const { expiresInSeconds, ...tokens } = await foreignTokens({
    ...kit.client,
    sandboxUrl: kit.sandbox.url,
    shop: kit.shop,
    redirectUri: `${kit.publicUrl}/oauth/callback/shopify`,
    ...(scope === undefined ? {} : { scope }),
  });
  return { ...tokens, expiresAt: new Date(kit.clock.now().getTime() + expiresInSeconds * 1000).toISOString() };
}

/** Whether the provider still takes a refresh token. */
async function works(refreshToken: string | undefined): Promise<boolean> {
  return (await tokenEndpoint({ grant_type: "refresh_token", refresh_token: refreshToken ?? "" })).ok;
}

function tokenEndpoint(body: Record<string, string>): Promise<Response> {
  return fetch(`${kit.sandbox.url}/_shops/${kit.shop}/admin/oauth/access_token`, {
    method: "POST",
    body: new URLSearchParams({
      client_id: kit.client.clientId,
      client_secret: kit.client.clientSecret,
      ...body,
    }),
  });
}

function take(body: Partial<ImportConnection>) {
  return kit.connect.importConnection({
    workspaceId: workspace.workspaceId,
    body: { tenantId: "acme", provider: "shopify", parameters: { shop: kit.shop }, ...body },
  });
}

function give(id: string, key: KeyObject, handOver = false) {
  const body = { publicKey: jwkOf(key), handOver };
  return kit.connect.exportConnection({ workspaceId: workspace.workspaceId, id, body });
}

async function open(jwe: string, key: KeyObject) {
  const { plaintext, protectedHeader } = await compactDecrypt(
    jwe,
    createPrivateKey(key.export({ type: "pkcs8", format: "pem" })),
  );
  const content = JSON.parse(Buffer.from(plaintext).toString()) as ExportedCredentials;
  return { header: protectedHeader, content };
}

function jwkOf(key: KeyObject): RecipientKey {
  return key.export({ format: "jwk" }) as unknown as RecipientKey;
}

/** Time goes by: the access token has ended, and the refresh token is to be used for its own sake. */
async function age(): Promise<void> {
  await kit.sql`update grants set access_expires_at = now() - interval '1 minute', refresh_at = now() - interval '9 minutes',
    keep_alive_at = now() - interval '1 minute' where workspace_id = ${workspace.workspaceId}`;
}

function status(id: string) {
  return kit.connect.getConnection(workspace, id);
}

async function grants() {
  return kit.sql`select state, tokens, row_version, refresh_at from grants where workspace_id = ${workspace.workspaceId}`;
}
