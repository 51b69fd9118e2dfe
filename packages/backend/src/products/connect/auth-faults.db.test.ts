import { randomUUID } from "node:crypto";
import type { ClientMetadata } from "oidc-provider";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { oauth2Of, type Connector, type OAuth2Auth } from "../../connectors/kit/index.ts";
import { getProviderApp, putProviderApp } from "../../domain/workspaces/index.ts";
import { createLogger } from "../../platform/observability/index.ts";
import { Secret } from "../../platform/runtime/index.ts";
import { startAuthorizationServer, type AuthorizationServer } from "../credentials/testing/authorization-server.ts";
import { startBadServer, type BadServer } from "../credentials/testing/bad-server.ts";
import { createAuthority, type TestAuthority } from "../credentials/testing/certificates.ts";
import {
  SCOPE,
  TEST_CLIENT_CREDENTIALS,
  TEST_MTLS,
  TEST_OAUTH2,
  testConnector,
} from "../credentials/testing/test-connector.ts";
import { createConnectKit, type TestWorkspace } from "./testing/connect-kit.ts";

const PUBLIC_URL = "https://patchbay.example";
const SECRET = "a secret of the client";
const certified = { clientAuthentication: { kind: "tls_client_auth" } } as const;
const CONNECTORS: Readonly<Record<string, Connector>> = {
  first: testConnector("first", [TEST_OAUTH2]),
  second: testConnector("second", [TEST_OAUTH2]),
  certified: testConnector("certified", [{ ...TEST_CLIENT_CREDENTIALS, ...certified }]),
  own: testConnector("own", [TEST_MTLS]),
  lax: testConnector("lax", [{ ...TEST_OAUTH2, requiresIss: false }]),
};

let authority: TestAuthority;
let server: AuthorizationServer;
let bad: BadServer;
let kit: Awaited<ReturnType<typeof createConnectKit>>;
let workspace: TestWorkspace;
const lines: string[] = [];

beforeAll(async () => {
  authority = createAuthority();
  bad = await startBadServer();
  server = await startAuthorizationServer(authority, { clients: () => Object.keys(CONNECTORS).map(clientOf) });
  kit = await createConnectKit({
    publicUrl: PUBLIC_URL,
    connectors: CONNECTORS,
    sandboxOrigins: [server.origin, bad.origin],
    log: createLogger("trace", { write: (line) => lines.push(line) }),
  });
  workspace = await kit.aWorkspace();
  for (const name of Object.keys(CONNECTORS)) await register(name);
});
afterAll(async () => {
  await kit[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  await bad[Symbol.asyncDispose]();
});
beforeEach(() => {
  server.asked.length = 0;
  lines.length = 0;
});

describe("codes and servers that do not belong together", () => {
  test("O4: a code of one server at another's callback is refused before anything is asked", async () => {
    const { back, cookies } = await atCallback("first");
    await expect(comeBack("second", back.searchParams, cookies)).rejects.toMatchObject({
      code: "authorization_not_found",
    });
    expect(server.asked).toEqual([]);
    expect(await comeBack("first", back.searchParams, cookies)).toMatchObject({ kind: "consented" });
  });

  test.each<[string, (query: URLSearchParams) => void]>([
    ["another issuer", (query) => query.set("iss", "https://evil.example")],
    ["no issuer though the server promises one", (query) => query.delete("iss")],
  ])("O4: %s: the code is not sent anywhere", async (_, change) => {
    const { back, cookies } = await atCallback("first");
    change(back.searchParams);
    expect(await comeBack("first", back.searchParams, cookies)).toMatchObject({ kind: "ended" });
    expect(server.asked).toEqual([]);
  });
});

describe("the PKCE verifier", () => {
  test("O3: is in no URL, cookie, page or log line", async () => {
    const { back, cookies, redirectTo, verifier } = await atCallback("first");
    expect(new URL(redirectTo).searchParams.get("code_challenge_method")).toBe("S256");
    const result = await comeBack("first", back.searchParams, cookies);
    expect(server.asked).toHaveLength(1);
    const seen = JSON.stringify([redirectTo, back.href, cookies, result, lines]);
    for (const form of [verifier, Buffer.from(verifier).toString("base64"), Buffer.from(verifier).toString("hex")]) {
      expect(seen).not.toContain(form);
    }
  });

  test("O3: a server that ignores the challenge is told from one that checks it", async () => {
    const { back } = await atCallback("first");
    expect(await checksChallenge("first", back.searchParams)).toBe(true);
    bad.behave({ kind: "answer", body: { access_token: "anything", token_type: "bearer" } });
    const query = new URLSearchParams({ code: "c0de", state: "s" });
    expect(await checksChallenge("lax", query, bad.origin)).toBe(false);
  });
});

describe("a client certificate", () => {
  test("O12: of somebody else is refused by the server, and nothing is stored", async () => {
    await register("certified", "stranger");
    await expect(handOver("certified", "client_credentials", {})).rejects.toMatchObject({
      code: "provider_app_missing",
    });
    await register("certified", "patchbay");
    expect(await handOver("certified", "client_credentials", {})).toMatchObject({ status: "active" });
  });

  test("O12: of a connection opens the account it was issued for, and no other", async () => {
    const acme = await handOver("own", "mtls", authority.issue("acme"));
    const bolt = await handOver("own", "mtls", authority.issue("bolt"));
    expect(acme.accountName).toBe("CN=acme");
    const { grantId } = await kit.connect.findConnection(workspace, acme.id);
    const [grant] = await kit.sql`select certificate_ends_at from grants where id = ${grantId}`;
    const daysLeft = (grant?.["certificate_ends_at"].getTime() - Date.now()) / 86_400_000;
    expect(Math.round(daysLeft)).toBe(10);
    expect(bolt.accountName).toBe("CN=bolt");
    for (const { id } of [acme, bolt, acme]) {
      expect(await kit.connect.test(workspace, id)).toMatchObject({ ok: true, problem: null });
    }
  });

  test("O12: of an authority that the server does not trust is refused", async () => {
    const stranger = createAuthority("Elsewhere").issue("acme");
    await expect(handOver("own", "mtls", stranger)).rejects.toMatchObject({ code: "invalid_credentials" });
  });

  test("O12: with another one's key is refused before anything is sent", async () => {
    const { certificate } = authority.issue("acme");
    const { privateKey } = authority.issue("acme");
    await expect(handOver("own", "mtls", { certificate, privateKey })).rejects.toMatchObject({
      code: "invalid_credentials",
      message: expect.stringContaining("privateKey"),
    });
  });
});

describe("giving back and asking about", () => {
  test("O13: a revocation that met 503 is made again by the sweep", async () => {
    const { id, grantId } = await connectByCode("second");
    server.breakPath("/token/revocation", [503, 503]);
    await kit.connect.disconnect(workspace, id);
    expect(await stateOf(grantId)).toBe("active");
    kit.clock.advance(61_000);
    await kit.connect.expireAuthorizations(workspace.workspaceId);
    expect(await stateOf(grantId)).toBe("active");
    kit.clock.advance(61_000);
    await kit.connect.expireAuthorizations(workspace.workspaceId);
    expect(await stateOf(grantId)).toBe("ended");
    const revoked = server.asked.filter(({ path }) => path === "/token/revocation");
    expect(revoked).toHaveLength(4);
  });

  test("somebody on the way to a provider without parameters keeps no other account's tokens alive", async () => {
    const { id, grantId } = await connectByCode("second");
    await atCallback("second");
    await kit.connect.disconnect(workspace, id);
    expect(await stateOf(grantId)).toBe("ended");
  });

  test("O13: a token without an end that the server calls inactive is refreshed, not given up", async () => {
    const { grantId } = await connectByCode("first");
    await kit.sql`update grants set access_expires_at = null, refresh_at = null where id = ${grantId}`;
    const first = await access(grantId);
    expect(await access(grantId)).toBe(first);
    expect(introspections()).toBe(1);
    await (await server.provider.AccessToken.find(first))?.destroy();
    expect(await access(grantId)).toBe(first);
    kit.clock.advance(60_000);
    const second = await access(grantId);
    expect(second).not.toBe(first);
    expect(introspections()).toBe(2);
    expect(await server.provider.AccessToken.find(second)).toBeDefined();
    expect(await stateOf(grantId)).toBe("active");
  });
});

function clientOf(name: string): ClientMetadata {
  const isCertified = name === "certified";
  return {
    client_id: name,
    redirect_uris: [`${PUBLIC_URL}/oauth/callback/${name}`],
    grant_types: ["authorization_code", "refresh_token", "client_credentials"],
    response_types: ["code"],
    scope: `openid offline_access ${SCOPE}`,
    ...(isCertified
      ? { token_endpoint_auth_method: "tls_client_auth", tls_client_auth_subject_dn: "CN=patchbay" }
      : { token_endpoint_auth_method: "client_secret_basic", client_secret: SECRET }),
  };
}

async function register(name: string, subject?: string): Promise<void> {
  const clientCertificate = subject === undefined ? {} : { clientCertificate: authority.issue(subject) };
  const body = { clientId: name, clientSecret: SECRET, baseUrlOverride: server.origin, ...clientCertificate };
  await putProviderApp(kit.shared, { ...workspace, provider: name, body });
}

/** Up to where the browser is sent back with a code. */
async function atCallback(provider: string) {
  const session = await kit.aSession(workspace, { tenantId: `tenant-${randomUUID()}` });
  const widget = kit.widget(session);
  const started = await widget.start("", { provider, parameters: {}, models: ["account"] });
  const { redirectTo, cookie } = await kit.connect.openTicket(started.startUrl.split("/").at(-1) ?? "");
  const [row] = await kit.sql`select id, pkce_verifier from authorizations
    where workspace_id = ${workspace.workspaceId} order by created_at desc limit 1`;
  const place = { table: "authorizations", rowId: row?.["id"], column: "pkce_verifier", rowVersion: 1 };
  const opened = await kit.shared.vault.open(workspace.workspaceId, place, row?.["pkce_verifier"]);
  const verifier = Buffer.from(opened).toString();
  const back = await server.consent(redirectTo);
  return { widget, started, redirectTo, back, verifier, cookies: { [cookie.name]: cookie.value } };
}

function comeBack(provider: string, query: URLSearchParams, cookies: Readonly<Record<string, string>>) {
  return kit.connect.callback({ provider, query, cookies, secFetchDest: "document" });
}

async function connectByCode(provider: string): Promise<{ id: string; grantId: string }> {
  const { widget, started, back, cookies } = await atCallback(provider);
  const result = await comeBack(provider, back.searchParams, cookies);
  if (result.kind !== "consented") throw new Error(JSON.stringify(result));
  const { connection } = await widget.complete(started.id, result.message.completionCode);
  if (connection === null) throw new Error("no connection");
  return { id: connection.id, grantId: (await kit.connect.findConnection(workspace, connection.id)).grantId };
}

async function handOver(provider: string, method: string, fields: object) {
  const tenantId = `tenant-${randomUUID()}`;
  await kit.aSession(workspace, { tenantId });
  return kit.connect.connectWithCredentials({
    ...workspace,
    tenantId,
    provider,
    method,
    parameters: {},
    fields: { ...fields },
    models: ["account"],
  });
}

/** Whether a code can be exchanged with a verifier that is not the challenge's. */
async function checksChallenge(name: string, query: URLSearchParams, origin = server.origin): Promise<boolean> {
  const connector = CONNECTORS[name];
  const app = await getProviderApp(kit.shared, { ...workspace, provider: name });
  const auth: OAuth2Auth | null = connector === undefined ? null : oauth2Of(connector);
  if (connector === undefined || app === null || auth === null) throw new Error("not registered");
  const outcome = await kit.credentials.oauth.exchange(
    { ...app, connector, auth, params: {}, mode: "test", baseUrlOverride: origin },
    {
      query,
      redirectUri: `${PUBLIC_URL}/oauth/callback/${name}`,
      pkceVerifier: new Secret("x".repeat(43)),
      deadlineMs: 2_000,
    },
  );
  return !outcome.ok && outcome.problem === "refused";
}

function introspections(): number {
  return server.asked.filter(({ path }) => path === "/token/introspection").length;
}

async function stateOf(grantId: string): Promise<string> {
  const [row] = await kit.sql`select state from grants where id = ${grantId}`;
  return row?.["state"];
}

async function access(grantId: string): Promise<string> {
  const given = await kit.credentials.accessToken({ ...workspace, grantId: grantId as never });
  return "token" in given ? given.token.reveal() : JSON.stringify(given);
}
