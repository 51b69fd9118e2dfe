import { once } from "node:events";
import { createServer } from "node:http";
import Provider from "oidc-provider";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { shopify } from "../../connectors/shopify/index.ts";
import type { Access } from "./deps.ts";
import { createGrantKit } from "./testing/grant-kit.ts";
import { withOAuth2 } from "./testing/with-oauth2.ts";

/** A certified server that ends a grant when a refresh token comes twice: it judges, not a server of ours. */
const EXPIRIES = 5;
const CALLERS = 20;
const HOUR_MS = 3_600_000;
const SINGLE_USE = withOAuth2(shopify, { refresh: { kind: "rotating", oldTokenWorks: "never", idleDays: 90 } });

const server = createServer();
let origin = "";
let provider: Provider;
let kit: Awaited<ReturnType<typeof createGrantKit>>;
const seen = { refreshed: 0, refused: 0, revoked: 0 };

beforeAll(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server listens on no port");
  origin = `http://127.0.0.1:${address.port}`;
  // It tells on the console that its keys and storage are for tests.
  vi.spyOn(console, "warn").mockImplementation(() => {});
  vi.spyOn(console, "info").mockImplementation(() => {});
  provider = new Provider(origin, {
    clients: [
      {
        client_id: "client",
        client_secret: "s3cret",
        redirect_uris: [`${origin}/callback`],
        grant_types: ["authorization_code", "refresh_token"],
        token_endpoint_auth_method: "client_secret_post",
      },
    ],
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    features: { devInteractions: { enabled: false } },
    routes: { token: "/admin/oauth/access_token" },
    rotateRefreshToken: true,
    ttl: { AccessToken: 3600, IdToken: 3600, RefreshToken: 86_400, Grant: 86_400 },
  });
  provider.on("grant.success", () => (seen.refreshed += 1));
  provider.on("grant.error", () => (seen.refused += 1));
  provider.on("grant.revoked", () => (seen.revoked += 1));
  const handle = provider.callback();
  server.on("request", (request, response) => void handle(request, response));
  kit = await createGrantKit(origin);
});
afterAll(async () => {
  await kit[Symbol.asyncDispose]();
  server.closeAllConnections();
  server.close();
});

test("O8: a certified server that revokes on reuse sees none, over expiries, processes and callers", async () => {
  const first = await aRefreshToken();
  const target = await kit.aGrant({ refreshToken: first });
  const nodes = await Promise.all([1, 2, 3].map(() => kit.aProcess({ connector: SINGLE_USE })));
  for (let expiry = 1; expiry <= EXPIRIES; expiry++) {
    await kit.passes(target, 2 * HOUR_MS);
    const given = await Promise.all(
      nodes.flatMap(({ credentials }) => Array.from({ length: CALLERS }, () => credentials.accessToken(target))),
    );
    expect(new Set(given.map(tokenOf)).size).toBe(1);
    expect(given.every((access) => "token" in access)).toBe(true);
  }
  expect(seen).toEqual({ refreshed: EXPIRIES, refused: 0, revoked: 0 });

  // That it would have told: the first token once more ends the grant, and so ours.
  const body = new URLSearchParams({
    grant_type: "refresh_token",
    client_id: "client",
    client_secret: "s3cret",
    refresh_token: first,
  });
  expect((await fetch(`${origin}/admin/oauth/access_token`, { method: "POST", body })).status).toBe(400);
  expect(seen.revoked).toBe(1);
  await kit.passes(target, 2 * HOUR_MS);
  await nodes[0]?.credentials.accessToken(target);
  await kit.passes(target, 60_000);
  for (const { credentials } of nodes) {
    expect(await credentials.accessToken(target)).toEqual({ problem: "reauthorize" });
  }
});

async function aRefreshToken(): Promise<string> {
  const scope = "openid offline_access";
  const grant = new provider.Grant({ clientId: "client", accountId: "acme" });
  grant.addOIDCScope(scope);
  const client = await provider.Client.find("client");
  if (client === undefined) throw new Error("no client");
  const grantId = await grant.save();
  const token = new provider.RefreshToken({ client, accountId: "acme", grantId, scope, gty: "authorization_code" });
  return token.save();
}

function tokenOf(access: Access): string {
  return "token" in access ? access.token.reveal() : JSON.stringify(access);
}
