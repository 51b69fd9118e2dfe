import type { ClientMetadata } from "oidc-provider";
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { ClientAuthentication, Connector } from "../../connectors/kit/index.ts";
import { getProviderApp, publishedKeys, putProviderApp, rotateSigningKey } from "../../domain/workspaces/index.ts";
import { startAuthorizationServer, type AuthorizationServer } from "../credentials/testing/authorization-server.ts";
import { createAuthority, type IssuedCertificate, type TestAuthority } from "../credentials/testing/certificates.ts";
import { TEST_CLIENT_CREDENTIALS, TEST_OAUTH2, SCOPE, testConnector } from "../credentials/testing/test-connector.ts";
import { connectByCode } from "./testing/connect-by-code.ts";
import { createConnectKit, type TestWorkspace } from "./testing/connect-kit.ts";

const WAYS: Readonly<Record<string, ClientAuthentication>> = {
  basic: { kind: "client_secret_basic" },
  post: { kind: "client_secret_post" },
  keyed: { kind: "private_key_jwt", algorithm: "ES256", audience: "issuer" },
  certified: { kind: "tls_client_auth" },
};
const SECRET = "a client's secret, with % and +";
const PUBLIC_URL = "https://patchbay.example";

let authority: TestAuthority;
let certificate: IssuedCertificate;
let server: AuthorizationServer;
let kit: Awaited<ReturnType<typeof createConnectKit>>;
let workspace: TestWorkspace;

beforeAll(async () => {
  authority = createAuthority();
  certificate = authority.issue("patchbay");
  server = await startAuthorizationServer(authority, {
    clients: (origin) => Object.keys(WAYS).map((way) => clientOf(way, origin)),
    jwks: async () => publishedKeys(kit.shared, { ...workspace, providerAppId: (await appOf("keyed")).id }),
  });
  kit = await createConnectKit({
    publicUrl: PUBLIC_URL,
    sandboxOrigins: [server.origin],
    connectors: Object.fromEntries(Object.keys(WAYS).map((way) => [way, connectorOf(way)])),
  });
  workspace = await kit.aWorkspace();
  for (const way of Object.keys(WAYS)) await register(way);
});
afterAll(async () => {
  await kit[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});
beforeEach(() => {
  server.asked.length = 0;
});

describe.each(Object.keys(WAYS))("a client that proves itself by %s", (way) => {
  test("connects by code and PKCE, refreshes, and gives the tokens back", async () => {
    const connection = await connectByCode(kit, server, workspace, way);
    const { grantId } = connection;
    expect(await kit.connect.test(workspace, connection.id)).toMatchObject({ ok: true });
    await expire(grantId);
    const [one, two] = await Promise.all([access(grantId), access(grantId)]);
    expect(one).toEqual(two);
    await kit.credentials.settled();
    expect((await grantRow(grantId))["row_version"]).toBe(2);
    await kit.connect.disconnect(workspace, connection.id);
    expect(server.asked.filter(({ path }) => path === "/token/revocation")).toHaveLength(2);
    expect(await grantRow(grantId)).toMatchObject({ state: "ended", tokens: null });
  });

  test("gets a token by client credentials, once for all callers", async () => {
    const connection = await kit.connect.connectWithCredentials({
      ...workspace,
      tenantId: await aTenant(),
      provider: way,
      method: "client_credentials",
      parameters: {},
      fields: {},
      models: ["account"],
    });
    const grantId = await grantOf(connection.id);
    expect(await grantRow(grantId)).toMatchObject({ auth_method: "client_credentials", scopes: [SCOPE] });
    expect(server.asked).toHaveLength(1);
    await expire(grantId);
    const given = await Promise.all(Array.from({ length: 50 }, () => access(grantId)));
    expect(new Set(given).size).toBe(1);
    expect(server.asked).toHaveLength(2);
  });
});

test("the secret is sent in the form or the header, as declared, and encoded as the standard wants", async () => {
  await connectByCode(kit, server, workspace, "basic");
  const [request] = server.asked;
  const encoded = Buffer.from(request?.authorization?.slice("Basic ".length) ?? "", "base64").toString();
  expect(encoded).toBe(`basic:${encodeURIComponent(SECRET).replaceAll("%20", "+").replaceAll("'", "%27")}`);
});

test("two signing keys are published: the one that signs and the next, which signs an hour later", async () => {
  const app = await appOf("keyed");
  const ref = { ...workspace, providerAppId: app.id };
  const next = await rotateSigningKey(kit.shared, { ...ref, algorithm: "ES256" });
  const published = await publishedKeys(kit.shared, ref);
  expect(published?.keys.map((key) => key["kid"])).toEqual([next.keyId, app.keys.signing?.keyId]);
  expect(JSON.stringify(published)).not.toContain('"d"');
  expect((await appOf("keyed")).keys.signing?.keyId).toBe(app.keys.signing?.keyId);
  kit.clock.advance(3_600_000);
  expect((await appOf("keyed")).keys.signing?.keyId).toBe(next.keyId);
  const third = await rotateSigningKey(kit.shared, { ...ref, algorithm: "ES256" });
  expect((await publishedKeys(kit.shared, ref))?.keys.map((key) => key["kid"])).toEqual([third.keyId, next.keyId]);
});

function clientOf(way: string, origin: string): ClientMetadata {
  const kind = WAYS[way]?.kind ?? "none";
  return {
    client_id: way,
    redirect_uris: [`${PUBLIC_URL}/oauth/callback/${way}`],
    grant_types: ["authorization_code", "refresh_token", "client_credentials"],
    response_types: ["code"],
    scope: `openid offline_access ${SCOPE}`,
    token_endpoint_auth_method: kind,
    ...(kind.startsWith("client_secret") ? { client_secret: SECRET } : {}),
    ...(kind === "private_key_jwt"
      ? { jwks_uri: `${origin}/client-jwks`, token_endpoint_auth_signing_alg: "ES256" }
      : {}),
    ...(kind === "tls_client_auth" ? { tls_client_auth_subject_dn: "CN=patchbay" } : {}),
  } as ClientMetadata;
}

function connectorOf(way: string): Connector {
  const clientAuthentication = WAYS[way] ?? { kind: "none" };
  return testConnector(way, [
    { ...TEST_OAUTH2, clientAuthentication },
    { ...TEST_CLIENT_CREDENTIALS, clientAuthentication },
  ]);
}

async function register(way: string): Promise<void> {
  const app = await putProviderApp(kit.shared, {
    ...workspace,
    provider: way,
    body: {
      clientId: way,
      clientSecret: SECRET,
      baseUrlOverride: server.origin,
      ...(way === "certified" ? { clientCertificate: certificate } : {}),
    },
  });
  if (way !== "keyed") return;
  await rotateSigningKey(kit.shared, { ...workspace, providerAppId: app.id, algorithm: "ES256" });
}

async function appOf(way: string) {
  const app = await getProviderApp(kit.shared, { ...workspace, provider: way });
  if (app === null) throw new Error("no app");
  return app;
}

async function aTenant(): Promise<string> {
  const tenantId = `tenant-${randomUUID()}`;
  await kit.aSession(workspace, { tenantId });
  return tenantId;
}

async function grantOf(connectionId: string): Promise<string> {
  return (await kit.connect.findConnection(workspace, connectionId)).grantId;
}

async function grantRow(grantId: string) {
  const [row] = await kit.sql`select * from grants where id = ${grantId}`;
  if (row === undefined) throw new Error("no grant");
  return row;
}

/** The database's clock judges when tokens end. */
async function expire(grantId: string): Promise<void> {
  await kit.sql`update grants set refresh_at = now() - interval '1 s', access_expires_at = now() where id = ${grantId}`;
}

async function access(grantId: string): Promise<string> {
  const given = await kit.credentials.accessToken({ ...workspace, grantId: grantId as never });
  return "token" in given ? given.token.reveal() : JSON.stringify(given);
}
