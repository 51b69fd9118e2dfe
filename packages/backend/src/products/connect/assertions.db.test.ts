import type { GrantId } from "@patchbay/shared";
import { exportJWK, exportPKCS8, generateKeyPair, importPKCS8, SignJWT, type JWTPayload } from "jose";
import { randomUUID } from "node:crypto";
import type { ClientMetadata } from "oidc-provider";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { JwtBearerAuth } from "../../connectors/kit/index.ts";
import { getProviderApp, publishedKeys, putProviderApp, rotateSigningKey } from "../../domain/workspaces/index.ts";
import { silentLogger } from "../../platform/observability/index.ts";
import { createCredentials, createGrantNews, type Credentials } from "../credentials/index.ts";
import { JWT_BEARER, acceptAssertions } from "../credentials/testing/accept-assertions.ts";
import { startAuthorizationServer, type AuthorizationServer } from "../credentials/testing/authorization-server.ts";
import { createAuthority } from "../credentials/testing/certificates.ts";
import {
  SCOPE,
  TEST_CLIENT_CREDENTIALS,
  TEST_JWT_BEARER,
  TEST_OAUTH2,
  testConnector,
} from "../credentials/testing/test-connector.ts";
import { connectByCode } from "./testing/connect-by-code.ts";
import { createConnectKit, type TestWorkspace } from "./testing/connect-kit.ts";

const PUBLIC_URL = "https://patchbay.example";
const ACCOUNT = "robot@acme.example";
const CALLERS = 20;
const keyed = { clientAuthentication: { kind: "private_key_jwt", algorithm: "ES256", audience: "issuer" } } as const;
const CONNECTOR = testConnector("keyed", [
  { ...TEST_OAUTH2, ...keyed },
  { ...TEST_CLIENT_CREDENTIALS, ...keyed },
]);
/** Its grants are asserted by the app's own key. */
const own: JwtBearerAuth = {
  ...TEST_JWT_BEARER,
  id: "app_assertion",
  signingKey: "provider_app",
  fields: TEST_JWT_BEARER.fields.slice(0, 1),
};

type Key = Awaited<ReturnType<typeof generateKeyPair>>;
let accountKey: Key;
let foreignKey: Key;
let server: AuthorizationServer;
let kit: Awaited<ReturnType<typeof createConnectKit>>;
let workspace: TestWorkspace;
/** Engine whose assertions are replaced on their way by `forge`. */
let forging: Credentials;
let forge: () => Promise<string> | string;

beforeAll(async () => {
  accountKey = await generateKeyPair("ES256", { extractable: true });
  foreignKey = await generateKeyPair("ES256", { extractable: true });
  server = await startAuthorizationServer(createAuthority(), {
    clients: (origin) => [clientOf("keyed", origin), clientOf("asserted", origin)],
    jwks: async () => appKeys("keyed"),
  });
  acceptAssertions(server.provider, {
    audience: server.origin,
    keyOf: async (issuer) => (issuer === ACCOUNT ? exportJWK(accountKey.publicKey) : (await appKeys(issuer))?.keys[0]),
  });
  kit = await createConnectKit({
    publicUrl: PUBLIC_URL,
    sandboxOrigins: [server.origin],
    connectors: {
      keyed: CONNECTOR,
      asserted: testConnector("asserted", [
        aboutServer(TEST_JWT_BEARER),
        aboutServer(own, "asserted"),
        { ...TEST_JWT_BEARER, id: "elsewhere" },
      ]),
    },
  });
  workspace = await kit.aWorkspace();
  for (const name of ["keyed", "asserted"]) await register(name);
  forging = await engineThatForges();
});
afterAll(async () => {
  await kit[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});
beforeEach(() => {
  server.asked.length = 0;
});

describe("a JWT bearer grant", () => {
  test.each(["the account's own key", "the app's key"])("by %s: connected, called, asked for again", async (whose) => {
    const byApp = whose === "the app's key";
    const fields = byApp ? { account: ACCOUNT } : { account: ACCOUNT, privateKey: await pem(accountKey) };
    const connection = await handOver("asserted", byApp ? own.id : TEST_JWT_BEARER.id, fields);
    expect(connection).toMatchObject({ status: "active", accountName: ACCOUNT });
    expect(await kit.connect.test(workspace, connection.id)).toMatchObject({ ok: true });
    const grantId = await grantOf(connection.id);
    const first = await access(kit.credentials, grantId);
    expect(server.asked).toHaveLength(1);
    await expire(grantId);
    const given = new Set(await callers(kit.credentials, grantId));
    expect([...given]).toEqual([expect.not.stringContaining(first)]);
    expect(server.asked).toHaveLength(2);
    expect(await kit.connect.test(workspace, connection.id)).toMatchObject({ ok: true });
  });

  test.each<[string, string, () => Promise<Record<string, string>>]>([
    ["by a foreign key", "jwt_bearer", async () => ({ account: ACCOUNT, privateKey: await pem(foreignKey) })],
    ["for nobody the server knows", "jwt_bearer", async () => ({ account: "eve", privateKey: await pem(accountKey) })],
    ["for another audience", "elsewhere", async () => ({ account: ACCOUNT, privateKey: await pem(accountKey) })],
  ])("O12: %s is refused by the server, once, and nothing is stored", async (_, method, fields) => {
    await expect(handOver("asserted", method, await fields())).rejects.toMatchObject({ code: "invalid_credentials" });
    expect(server.asked).toHaveLength(1);
  });

  test("with a key that is none is refused before anything is sent, and not quoted", async () => {
    const privateKey = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----";
    const error = await handOver("asserted", "jwt_bearer", { account: ACCOUNT, privateKey }).catch((it: unknown) => it);
    expect(error).toMatchObject({ code: "invalid_credentials" });
    expect(String(error)).not.toContain("c2VjcmV0");
    expect(server.asked).toEqual([]);
  });
});

describe("an assertion of the client", () => {
  const FORGERIES: readonly [string, () => Promise<string>][] = [
    ["that has expired", () => signed({ iat: seconds(-120), exp: seconds(-60) })],
    ["for another audience", () => signed({ aud: "https://evil.example" })],
    ["by another issuer", () => signed({ iss: "asserted" })],
    ["without a jti", () => signed({ jti: undefined })],
    ["without an end", () => signed({ exp: undefined })],
    ["with alg none", unsigned],
    ["by a foreign key under our key's id", () => signed({}, foreignKey.privateKey)],
    ["signed with the public key as a secret", signedByPublicKey],
    [
      "that was used before",
      async () => {
        const assertion = await signed({});
        expect((await send(assertion)).status).toBe(200);
        return assertion;
      },
    ],
  ];

  test.each(FORGERIES)("O12: %s: refused, not taken for the account's fault, asked once", async (_, made) => {
    for (const connect of [byCode, byClientCredentials]) {
      const { id, grantId } = await connect();
      const assertion = await made();
      expect(await (await send(assertion)).json()).toMatchObject({ error: "invalid_client" });
      forge = () => assertion;
      await expire(grantId);
      server.asked.length = 0;
      for (let wave = 0; wave < 3; wave++) {
        expect(new Set(await callers(forging, grantId))).toEqual(new Set(['{"problem":"unavailable"}']));
      }
      expect(server.asked).toHaveLength(1);
      expect(await stateOf(grantId)).toBe("active");
      expect(await kit.connect.getConnection(workspace, id)).toMatchObject({ status: "active" });
      await kit.sql`update grants set refresh_at = now() where id = ${grantId}`;
      expect(await access(kit.credentials, grantId)).not.toContain("problem");
    }
  });

  test("O12: refused when an account is connected is the operator's to mend, and nothing is stored", async () => {
    const connector = CONNECTOR;
    const app = await appOf("keyed");
    forge = () => signed({}, foreignKey.privateKey);
    const method = { ...TEST_CLIENT_CREDENTIALS, ...keyed };
    const speaker = { ...app, connector, params: {}, mode: "test" as const };
    await expect(forging.obtain(speaker, method, { fields: {}, models: ["account"] })).rejects.toMatchObject({
      code: "provider_app_missing",
    });
    expect(server.asked).toHaveLength(1);
  });
});

function clientOf(name: string, origin: string): ClientMetadata {
  const base = { client_id: name, redirect_uris: [`${PUBLIC_URL}/oauth/callback/${name}`], response_types: ["code"] };
  const scope = `openid offline_access ${SCOPE}`;
  const grants = ["authorization_code", "refresh_token", "client_credentials"];
  if (name !== "keyed") {
    const grant_types = [...grants, JWT_BEARER];
    return { ...base, scope, grant_types, token_endpoint_auth_method: "none" } as ClientMetadata;
  }
  return {
    ...base,
    scope,
    grant_types: grants,
    token_endpoint_auth_method: "private_key_jwt",
    token_endpoint_auth_signing_alg: "ES256",
    jwks_uri: `${origin}/client-jwks`,
  } as ClientMetadata;
}

/** The audience is the server's own name, which is known only now. */
function aboutServer(method: JwtBearerAuth, issuer?: string): JwtBearerAuth {
  return {
    ...method,
    assertion(input) {
      const declared = method.assertion(input);
      return { ...declared, audience: server.origin, issuer: issuer ?? declared.issuer };
    },
  };
}

async function register(name: string): Promise<void> {
  const body = { clientId: name, clientSecret: "unused", baseUrlOverride: server.origin };
  const { id } = await putProviderApp(kit.shared, { ...workspace, provider: name, body });
  await rotateSigningKey(kit.shared, { ...workspace, providerAppId: id, algorithm: "ES256" });
}

async function appOf(name: string) {
  const app = await getProviderApp(kit.shared, { ...workspace, provider: name });
  if (app === null) throw new Error("no app");
  return app;
}

async function appKeys(name: string) {
  const app = await getProviderApp(kit.shared, { ...workspace, provider: name });
  return app === null ? null : publishedKeys(kit.shared, { ...workspace, providerAppId: app.id });
}

async function engineThatForges(): Promise<Credentials> {
  const { egress } = kit.shared;
  return createCredentials({
    ...kit.shared,
    news: await createGrantNews({ database: null, log: silentLogger }),
    onGrantDead: async () => {},
    onGrantRevived: async () => {},
    egress: {
      ...egress,
      fetchLike(policy) {
        const next = egress.fetchLike(policy);
        return async (input, init) => {
          const body = new URLSearchParams(init?.body instanceof URLSearchParams ? init.body : "");
          body.set("client_assertion", await forge());
          return next(input, { ...init, body });
        };
      },
    },
  });
}

function seconds(fromNow: number): number {
  return Math.floor(Date.now() / 1000) + fromNow;
}

/** `undefined` leaves a claim out. */
type Changes = Readonly<Record<string, string | number | undefined>>;

function claimsOf(changes: Changes): JWTPayload {
  const good = { iss: "keyed", sub: "keyed", aud: server.origin, iat: seconds(0), exp: seconds(60), jti: randomUUID() };
  return { ...good, ...changes };
}

async function signed(changes: Changes, key?: CryptoKey): Promise<string> {
  const { signing } = (await appOf("keyed")).keys;
  if (signing === null) throw new Error("no signing key");
  const ours = key ?? (await importPKCS8(signing.privateKey.reveal(), "ES256"));
  return new SignJWT(claimsOf(changes)).setProtectedHeader({ alg: "ES256", kid: signing.keyId }).sign(ours);
}

async function unsigned(): Promise<string> {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "none" })}.${part(claimsOf({}))}.`;
}

async function signedByPublicKey(): Promise<string> {
  const [key] = (await appKeys("keyed"))?.keys ?? [];
  const secret = Buffer.from(JSON.stringify(key));
  return new SignJWT(claimsOf({})).setProtectedHeader({ alg: "HS256", kid: String(key?.["kid"]) }).sign(secret);
}

/** Past our engine: what the server itself makes of an assertion. */
async function send(assertion: string): Promise<Response> {
  const body = new URLSearchParams({
    grant_type: "client_credentials",
    scope: SCOPE,
    client_id: "keyed",
    client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    client_assertion: assertion,
  });
  return fetch(`${server.origin}/token`, { method: "POST", body });
}

async function byCode() {
  return connectByCode(kit, server, workspace, "keyed");
}

async function byClientCredentials() {
  const { id } = await handOver("keyed", "client_credentials", {});
  return { id, grantId: await grantOf(id) };
}

async function handOver(provider: string, method: string, fields: Readonly<Record<string, string>>) {
  const tenantId = `tenant-${randomUUID()}`;
  await kit.aSession(workspace, { tenantId });
  const models = ["account"] as const;
  return kit.connect.connectWithCredentials({
    ...workspace,
    tenantId,
    provider,
    method,
    parameters: {},
    fields,
    models,
  });
}

async function pem({ privateKey }: Key): Promise<string> {
  return exportPKCS8(privateKey);
}

async function grantOf(connectionId: string): Promise<string> {
  return (await kit.connect.findConnection(workspace, connectionId)).grantId;
}

async function stateOf(grantId: string): Promise<string> {
  const [row] = await kit.sql`select state from grants where id = ${grantId}`;
  return row?.["state"];
}

/** The database's clock judges when tokens end. */
async function expire(grantId: string): Promise<void> {
  await kit.sql`update grants set refresh_at = now() - interval '1 s', access_expires_at = now() where id = ${grantId}`;
}

async function callers(credentials: Credentials, grantId: string): Promise<readonly string[]> {
  return Promise.all(Array.from({ length: CALLERS }, () => access(credentials, grantId)));
}

async function access(credentials: Credentials, grantId: string): Promise<string> {
  const given = await credentials.accessToken({ ...workspace, grantId: grantId as GrantId });
  return "token" in given ? given.token.reveal() : JSON.stringify(given);
}
