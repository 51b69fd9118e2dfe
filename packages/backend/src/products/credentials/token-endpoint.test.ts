import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { shopify } from "../../connectors/shopify/index.ts";
import { oauth2Of, type Connector, type OAuth2Auth } from "../../connectors/kit/index.ts";
import { createEgress } from "../../platform/egress/index.ts";
import { silentLogger } from "../../platform/observability/index.ts";
import { Secret, systemClock } from "../../platform/runtime/index.ts";
import type { OAuthParty } from "./oauth-client.ts";
import { REFUSED, pair, startTokenServer, type TokenReply } from "./testing/token-server.ts";
import { withOAuth2 } from "./testing/with-oauth2.ts";
import { createTokenEndpoint } from "./token-endpoint.ts";

const server = await startTokenServer();
const egress = createEgress({ log: silentLogger });
const endpoint = createTokenEndpoint({
  egress,
  sandboxOrigins: [server.origin],
  clock: systemClock,
  log: silentLogger,
});
afterAll(async () => {
  await egress.close();
  await server[Symbol.asyncDispose]();
});
beforeEach(() => {
  server.requests.length = 0;
  server.answer(() => pair(1));
});

describe("exchange", () => {
  test("sends the code with the secret, the redirect URI and the connector's own parameters", async () => {
    const outcome = await exchange();
    expect(outcome).toMatchObject({ ok: true, tokens: { expiresInSeconds: 3600, refreshExpiresInSeconds: 7_776_000 } });
    const [request] = server.requests;
    expect(request?.contentType).toContain("application/x-www-form-urlencoded");
    expect(Object.fromEntries(request?.form ?? [])).toEqual({
      grant_type: "authorization_code",
      client_id: "client",
      client_secret: "s3cret",
      code: "c0de",
      expiring: "1",
      redirect_uri: "https://host.example/cb",
    });
  });

  test("sends JSON where the provider wants it", async () => {
    await exchange(withOAuth2(shopify, { tokenRequestFormat: "json" }));
    expect(server.requests[0]?.contentType).toContain("application/json");
    expect(server.requests[0]?.form.get("code")).toBe("c0de");
  });

  test("sends the secret in a header where the provider wants it", async () => {
    await exchange(withOAuth2(shopify, { clientAuthentication: { kind: "client_secret_basic" } }));
    expect(server.requests[0]?.form.has("client_secret")).toBe(false);
  });

  test("sends the PKCE verifier", async () => {
    const verifier = new Secret("v".repeat(43));
    await endpoint.exchange(party(), {
      query: query(),
      redirectUri: "https://host.example/cb",
      pkceVerifier: verifier,
      deadlineMs: 2000,
    });
    expect(server.requests[0]?.form.get("code_verifier")).toBe(verifier.reveal());
  });

  test.each<[string, Readonly<Record<string, unknown>>, number | null]>([
    ["as text", { expires_in: "3599" }, 3599],
    ["as a number", { expires_in: 3598 }, 3598],
    ["missing: not for ever", { expires_in: undefined }, 3600],
    ["senseless: not for ever", { expires_in: -5 }, 3600],
    ["not a number: not for ever", { expires_in: "soon" }, 3600],
  ])("reads a lifetime %s", async (_, changes, expected) => {
    server.answer(() => pair(1, changes));
    const outcome = await exchange();
    expect(outcome.ok && outcome.tokens.expiresInSeconds).toBe(expected);
  });

  test("splits scopes at commas and spaces", async () => {
    const outcome = await exchange();
    expect(outcome.ok && outcome.tokens.scopes).toEqual(["read_customers", "read_orders"]);
  });

  test("asks nothing when the answer's issuer is another", async () => {
    const mixed = query();
    mixed.set("iss", "https://evil.example");
    const outcome = await endpoint.exchange(party(), {
      query: mixed,
      redirectUri: "https://host.example/cb",
      pkceVerifier: null,
      deadlineMs: 2000,
    });
    expect(outcome.ok).toBe(false);
    expect(server.requests).toHaveLength(0);
  });
});

describe("a token endpoint's troubles", () => {
  test.each<[string, TokenReply, { problem: string; lost: boolean; retryAfterMs?: number }]>([
    ["a refusal", REFUSED, { problem: "refused", lost: false }],
    ["invalid_grant", json(400, { error: "invalid_grant" }), { problem: "refused", lost: false }],
    ["an error under status 200", json(200, { error: "invalid_grant" }), { problem: "refused", lost: false }],
    ["our own secret", json(401, { error: "invalid_client" }), { problem: "misconfigured", lost: false }],
    ["an outage", json(500, {}), { problem: "unavailable", lost: true }],
    ["not now", json(503, {}), { problem: "unavailable", lost: false }],
    ["the 520 seen while rotating", { status: 520, body: "" }, { problem: "unavailable", lost: true }],
    ["a rate limit", json(429, {}), { problem: "unavailable", lost: false, retryAfterMs: 10_000 }],
    ["a page", { status: 200, body: "<html>", contentType: "text/html" }, { problem: "unavailable", lost: true }],
    ["a success without a token", json(200, { scope: "x" }), { problem: "unavailable", lost: true }],
    ["a redirect", { status: 302, body: "" }, { problem: "unavailable", lost: true }],
    ["too long an answer", { status: 200, body: "x".repeat(300_000) }, { problem: "unavailable", lost: true }],
    ["silence", "drop", { problem: "unavailable", lost: true }],
  ])("%s", async (_, reply, expected) => {
    server.answer(() => reply);
    expect(await refresh()).toEqual({ ok: false, ...expected });
  });

  test("a slow answer ends at the deadline", async () => {
    server.answer(() => new Promise(() => {}));
    expect(await refresh({ deadlineMs: 100 })).toEqual({ ok: false, problem: "unavailable", lost: true });
  });

  test("an address that only a sandbox may have is refused to live workspaces", async () => {
    const outcome = await endpoint.refresh(
      { ...party(), mode: "live" },
      { refreshToken: new Secret("r"), deadlineMs: 500 },
    );
    expect(outcome).toEqual({ ok: false, problem: "unavailable", lost: false });
    expect(server.requests).toHaveLength(0);
  });
});

function party(connector: Connector = shopify): OAuthParty<OAuth2Auth> {
  const auth = oauth2Of(connector);
  if (auth === null) throw new Error("no OAuth");
  return {
    connector,
    auth,
    params: { shop: "acme.myshopify.com" },
    clientId: "client",
    clientSecret: new Secret("s3cret"),
    keys: { signing: null, certificate: null },
    baseUrlOverride: server.origin,
    mode: "test",
  };
}

function query(): URLSearchParams {
  return new URLSearchParams({ code: "c0de", state: "any" });
}

function exchange(connector?: Connector) {
  return endpoint.exchange(party(connector), {
    query: query(),
    redirectUri: "https://host.example/cb",
    pkceVerifier: null,
    deadlineMs: 2000,
  });
}

function refresh({ deadlineMs = 2000 } = {}) {
  return endpoint.refresh(party(), { refreshToken: new Secret("refresh_0"), deadlineMs });
}

function json(status: number, body: object): TokenReply {
  return { status, body: JSON.stringify(body) };
}
