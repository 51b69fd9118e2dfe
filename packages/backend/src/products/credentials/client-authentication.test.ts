import { createPublicKey } from "node:crypto";
import { decodeJwt, decodeProtectedHeader, exportPKCS8, generateKeyPair, jwtVerify } from "jose";
import { beforeAll, describe, expect, test } from "vitest";
import type { ClientAuthentication, SigningAlgorithm, TokenAuth } from "../../connectors/kit/index.ts";
import { Secret } from "../../platform/runtime/index.ts";
import { clientProof } from "./client-authentication.ts";
import type { OAuthParty } from "./oauth-client.ts";
import { signAssertion } from "./sign-assertion.ts";
import { TEST_JWT_BEARER, TEST_OAUTH2, testConnector } from "./testing/test-connector.ts";

const RUNS = 1_000;
const ENDPOINT = "https://as.example/token";
const ISSUER = "https://as.example";
const LIFETIME_SECONDS_MAX = 60;

let pem: string;
beforeAll(async () => {
  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  pem = await exportPKCS8(privateKey);
});

describe.each(["issuer", "token_endpoint"] as const)("assertions of the client for the %s", (audience) => {
  test(`O12: over ${RUNS}: one audience, at most ${LIFETIME_SECONDS_MAX} s, a jti of its own`, async () => {
    const at = party({
      ...TEST_OAUTH2,
      clientAuthentication: { kind: "private_key_jwt", algorithm: "ES256", audience },
    });
    const made = await Promise.all(Array.from({ length: RUNS }, () => clientAssertion(at)));
    await checkAll(made, { issuer: "client", audience: audience === "issuer" ? ISSUER : ENDPOINT });
  });
});

test(`O12: asserted grants over ${RUNS}: one audience, the declared life, a jti of their own`, async () => {
  const at = party(TEST_JWT_BEARER);
  const fields = { account: new Secret("robot"), privateKey: new Secret(pem) };
  const input = { fields, scopes: [], now: new Date() };
  const made = await Promise.all(Array.from({ length: RUNS }, () => signAssertion(at, input)));
  await checkAll(made, { issuer: "robot", audience: ISSUER });
});

test.each<[SigningAlgorithm, ClientAuthentication]>([
  ["RS256", { kind: "private_key_jwt", algorithm: "ES256", audience: "issuer" }],
  ["ES256", { kind: "private_key_jwt", algorithm: "RS256", audience: "issuer" }],
])("O12: a key for %s does not sign by another algorithm", async (algorithm, clientAuthentication) => {
  const at = party({ ...TEST_OAUTH2, clientAuthentication }, algorithm);
  await expect(clientProof(at, ENDPOINT)).rejects.toMatchObject({ name: "NotSetUp" });
});

async function clientAssertion(at: OAuthParty): Promise<string> {
  const { authentication } = await clientProof(at, ENDPOINT);
  const body = new URLSearchParams();
  await authentication({ issuer: ISSUER }, { client_id: at.clientId }, body, new Headers());
  return body.get("client_assertion") ?? "";
}

async function checkAll(
  made: readonly string[],
  { issuer, audience }: { readonly issuer: string; readonly audience: string },
): Promise<void> {
  const publicKey = createPublicKey(pem);
  const claims = made.map((assertion) => decodeJwt(assertion));
  expect(new Set(claims.map(({ jti }) => jti)).size).toBe(RUNS);
  for (const { iss, sub, aud, iat = 0, exp = Infinity, jti = "" } of claims) {
    expect({ iss, sub, aud }).toEqual({ iss: issuer, sub: issuer, aud: audience });
    expect(exp - iat).toBeLessThanOrEqual(LIFETIME_SECONDS_MAX);
    expect(Math.abs(iat - Date.now() / 1000)).toBeLessThan(LIFETIME_SECONDS_MAX);
    expect(jti.length).toBeGreaterThanOrEqual(20);
  }
  expect(new Set(made.map((assertion) => decodeProtectedHeader(assertion).alg))).toEqual(new Set(["ES256"]));
  await jwtVerify(made[0] ?? "", publicKey, { algorithms: ["ES256"], audience, issuer });
}

function party<Auth extends TokenAuth>(auth: Auth, algorithm: SigningAlgorithm = "ES256"): OAuthParty<Auth> {
  return {
    connector: testConnector("test", [auth]),
    auth,
    params: {},
    clientId: "client",
    clientSecret: new Secret("unused"),
    keys: { signing: { keyId: "k1", algorithm, privateKey: new Secret(pem) }, certificate: null },
    baseUrlOverride: null,
    mode: "test",
  };
}
