import * as oauth from "oauth4webapi";
import { z } from "zod";
import type { ClientCredentialsAuth, JwtBearerAuth } from "../../connectors/kit/index.ts";
import { Secret } from "../../platform/runtime/index.ts";
import type { OAuthParty, TokenEndpoint, TokenOutcome, TokenSet } from "./oauth-client.ts";
import { reachServer, type Exchange, type ReachDeps } from "./reach-server.ts";
import { introspect, revoke } from "./settle-token.ts";
import { signAssertion } from "./sign-assertion.ts";
import type { Fields } from "./token-pair.ts";

const JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/** The token endpoint and its neighbours by oauth4webapi. */
export function createTokenEndpoint(deps: ReachDeps): TokenEndpoint {
  return {
    exchange: (at, { query, redirectUri, pkceVerifier, deadlineMs }) =>
      ask(deps, at, deadlineMs, async ({ server, client, authentication, options }) => {
        // The state was compared by hash before; this checks `iss`, and marks the query as checked.
        const checked = oauth.validateAuthResponse(server, client, query, oauth.skipStateCheck);
        const response = await oauth.authorizationCodeGrantRequest(
          server,
          client,
          authentication,
          checked,
          redirectUri,
          pkceVerifier?.reveal() ?? oauth.nopkce,
          { ...options, additionalParameters: at.auth.exchangeParameters },
        );
        return oauth.processAuthorizationCodeResponse(server, client, response);
      }),
    refresh: (at, { refreshToken, deadlineMs }) =>
      ask(deps, at, deadlineMs, async ({ server, client, authentication, options }) => {
        const response = await oauth.refreshTokenGrantRequest(
          server,
          client,
          authentication,
          refreshToken.reveal(),
          options,
        );
        return oauth.processRefreshTokenResponse(server, client, response);
      }),
    derive: (at, input) => derive(deps, at, input),
    revoke: (at, input) => revoke(deps, at, input),
    introspect: (at, input) => introspect(deps, at, input),
  };
}

/** A token for what the account's owner handed over: client credentials, or the key of an assertion. */
async function derive(
  deps: ReachDeps,
  at: OAuthParty<ClientCredentialsAuth | JwtBearerAuth>,
  input: { readonly fields: Fields; readonly scopes: readonly string[]; readonly deadlineMs: number },
): Promise<TokenOutcome> {
  const { auth } = at;
  const asking = auth.kind === "client_credentials" && auth.client === "connection" ? ofConnection(at, input) : at;
  const parameters = new URLSearchParams();
  if (auth.sendsScopes && input.scopes.length > 0) parameters.set("scope", input.scopes.join(auth.scopeSeparator));
  const outcome = await ask(deps, asking, input.deadlineMs, async ({ server, client, authentication, options }) => {
    if (auth.kind === "client_credentials") {
      for (const [name, value] of Object.entries(auth.parameters)) parameters.set(name, value);
      const response = await oauth.clientCredentialsGrantRequest(server, client, authentication, parameters, options);
      return oauth.processClientCredentialsResponse(server, client, response);
    }
    parameters.set("assertion", await signAssertion({ ...at, auth }, { ...input, now: deps.clock.now() }));
    const response = await oauth.genericTokenEndpointRequest(
      server,
      client,
      authentication,
      JWT_BEARER,
      parameters,
      options,
    );
    return oauth.processGenericTokenEndpointResponse(server, client, response);
  });
  if (outcome.ok) return { ok: true, tokens: { ...outcome.tokens, refreshToken: null } };
  // Where the client is the connection's own, its refusal is the end of the connection's credential, not our mistake.
  const owners = auth.kind === "client_credentials" && auth.client === "connection";
  return owners && outcome.problem === "misconfigured" ? { ...outcome, problem: "refused" } : outcome;
}

function ofConnection<Party extends OAuthParty>(at: Party, { fields }: { readonly fields: Fields }): Party {
  const empty = new Secret("");
  return { ...at, clientId: fields["clientId"]?.reveal() ?? "", clientSecret: fields["clientSecret"] ?? empty };
}

async function ask(
  deps: ReachDeps,
  at: OAuthParty,
  deadlineMs: number,
  work: (exchange: Exchange) => Promise<oauth.TokenEndpointResponse>,
): Promise<TokenOutcome> {
  const reached = await reachServer(
    deps,
    at,
    { operation: "token", endpoint: at.auth.tokenUrl(at.params), deadlineMs },
    work,
  );
  return reached.ok ? { ok: true, tokens: toTokens(at, reached.answer) } : reached;
}

function toTokens(at: OAuthParty, answer: oauth.TokenEndpointResponse): TokenSet {
  const refreshLifetime = z.number().safeParse(answer["refresh_token_expires_in"]);
  return {
    accessToken: new Secret(answer.access_token),
    refreshToken: answer.refresh_token === undefined ? null : new Secret(answer.refresh_token),
    // A lifetime that is missing where there should be one is not taken for "for ever".
    expiresInSeconds: answer.expires_in ?? at.auth.defaultLifetimeSeconds,
    refreshExpiresInSeconds: refreshLifetime.success ? refreshLifetime.data : null,
    scopes: (answer.scope ?? "").split(/[\s,]+/).filter((scope) => scope !== ""),
  };
}
