import { afterAll, describe, expect, test } from "vitest";
import { createEgress } from "../../platform/egress/index.ts";
import { createLogger, silentLogger } from "../../platform/observability/index.ts";
import { Secret, systemClock } from "../../platform/runtime/index.ts";
import type { OAuthParty } from "./oauth-client.ts";
import type { OAuth2Auth } from "../../connectors/kit/index.ts";
import { startBadServer, type Misbehaviour } from "./testing/bad-server.ts";
import { TEST_OAUTH2, testConnector } from "./testing/test-connector.ts";
import { createTokenEndpoint } from "./token-endpoint.ts";

const MIB = 1024 * 1024;
const DEADLINE_MS = 1_500;

const server = await startBadServer();
const egress = createEgress({ log: silentLogger });
const lines: string[] = [];
const log = createLogger("trace", { write: (line) => lines.push(line) });
const endpoint = createTokenEndpoint({ egress, sandboxOrigins: [server.origin], clock: systemClock, log });
afterAll(async () => {
  await egress.close();
  await server[Symbol.asyncDispose]();
});

const GOOD = { access_token: "good", token_type: "bearer", expires_in: 600 };
const unreadable = { ok: false, problem: "unavailable", lost: true };
const tokens = (changes: object = {}) => ({ ok: true, tokens: { expiresInSeconds: 600, ...changes } });

describe("an answer of the token endpoint", () => {
  test.each<[string, Misbehaviour, object]>([
    ["without token_type counts as bearer", answer({ ...GOOD, token_type: undefined }), tokens()],
    ["with a lifetime as text is read", answer({ ...GOOD, expires_in: "600" }), tokens()],
    ["with an error under status 200 is a refusal", answer({ error: "invalid_grant" }), { problem: "refused" }],
    ["of another content type is read for what it holds", answer(GOOD, { contentType: "text/plain" }), tokens()],
    ["without a content type is read for what it holds", answer(GOOD, { contentType: null }), tokens()],
    ["that is a page is not understood", answer("<html>", { contentType: "text/html" }), unreadable],
    ["that is a list is not understood", answer([GOOD]), unreadable],
    ["whose token is a number is not understood", answer({ ...GOOD, access_token: 1 }), unreadable],
    ["whose token is empty is not understood", answer({ ...GOOD, access_token: "" }), unreadable],
    ["whose token type we cannot use is not understood", answer({ ...GOOD, token_type: "mac" }), unreadable],
    ["of 10 MB is cut off", { kind: "endless", bytes: 10 * MIB }, unreadable],
    ["that unpacks to 100 MB is cut off", { kind: "gzip_bomb", bytes: 100 * MIB }, unreadable],
    ["that drips is given up at the deadline", { kind: "drip", everyMs: 20 }, unreadable],
    ["that ends in the middle is lost", { kind: "half" }, unreadable],
    ["with endless headers is given up", { kind: "many_headers" }, unreadable],
    ["that redirects for good is not followed", { kind: "redirect", status: 301 }, unreadable],
    ["that redirects with the body is not followed", { kind: "redirect", status: 307 }, unreadable],
  ])("O7: %s", async (_, how, expected) => {
    server.behave(how);
    const startedAt = performance.now();
    const outcome = await exchange();
    expect(outcome).toMatchObject(expected);
    expect(performance.now() - startedAt).toBeLessThan(DEADLINE_MS + 1_000);
    expect(server.asked()).toBe(1);
    expect(server.followed()).toBe(0);
    if (how.kind === "endless") expect(server.bytesSent()).toBeLessThan(how.bytes);
  });
});

/** By the negative modules of oauth4webapi's certification runs, as far as a code flow has what they break. */
describe("an answer of the authorization endpoint", () => {
  test.each<[string, (query: URLSearchParams) => void]>([
    ["invalid-authorization-response-iss", (query) => query.set("iss", "https://as.example.evil.example")],
    ["the issuer with a slash more", (query) => query.set("iss", `${server.origin}/`)],
    ["remove-authorization-response-iss", (query) => query.delete("iss")],
    ["an empty issuer", (query) => query.set("iss", "")],
    ["two issuers", (query) => query.append("iss", "https://evil.example")],
    ["two codes", (query) => query.append("code", "another")],
    ["no code", (query) => query.delete("code")],
    ["ensure-jarm: an answer as a JWT", (query) => query.set("response", "e30.e30.")],
    ["an error beside the code", (query) => query.set("error", "server_error")],
    ["an implicit token beside the code", (query) => query.set("id_token", "e30.e30.")],
  ])("O14: %s: nothing is asked with its code", async (_, change) => {
    server.behave(answer(GOOD));
    const query = goodQuery();
    change(query);
    expect((await exchange(query)).ok).toBe(false);
    expect(server.asked()).toBe(0);
  });

  test.each([
    "invalid-null-alg",
    "invalid-signature",
    "invalid-expired-exp",
    "invalid-missing-aud",
    "invalid-nonce",
    "missing-sub",
  ])("O14: %s: an id_token decides nothing, good or bad", async (module) => {
    server.behave(answer({ ...GOOD, id_token: badIdToken(module) }));
    const outcome = await exchange();
    expect(outcome).toMatchObject(tokens());
    expect(JSON.stringify(outcome)).not.toContain("sub");
  });
});

test("O3: the verifier goes to the token endpoint and is in no log line", async () => {
  server.behave({ kind: "half" });
  await exchange();
  server.behave(answer(GOOD));
  expect((await exchange()).ok).toBe(true);
  expect(lines.length).toBeGreaterThan(0);
  expect(lines.join("")).not.toContain(VERIFIER);
});

const VERIFIER = "v".repeat(43);

function exchange(query = goodQuery()) {
  return endpoint.exchange(party(), {
    query,
    redirectUri: "https://host.example/cb",
    pkceVerifier: new Secret(VERIFIER),
    deadlineMs: DEADLINE_MS,
  });
}

function goodQuery(): URLSearchParams {
  return new URLSearchParams({ code: "c0de", state: "any", iss: server.origin });
}

function party(): OAuthParty<OAuth2Auth> {
  return {
    connector: testConnector("bad", [TEST_OAUTH2]),
    auth: TEST_OAUTH2,
    params: {},
    clientId: "client",
    clientSecret: new Secret("s3cret"),
    keys: { signing: null, certificate: null },
    baseUrlOverride: server.origin,
    mode: "test",
  };
}

function answer(body: unknown, changes: { readonly contentType?: string | null } = {}): Misbehaviour {
  return { kind: "answer", body, ...changes };
}

function badIdToken(module: string): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const alg = module === "invalid-null-alg" ? "none" : "RS256";
  return `${part({ alg })}.${part({ iss: "https://evil.example", sub: "mallory", exp: 1, nonce: "x" })}.c2ln`;
}
