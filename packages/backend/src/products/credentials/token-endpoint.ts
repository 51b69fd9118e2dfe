import * as oauth from "oauth4webapi";
import { z } from "zod";
import type { Egress } from "../../platform/egress/index.ts";
import type { Logger } from "../../platform/observability/index.ts";
import { Secret } from "../../platform/runtime/index.ts";
import { normalizingFetch } from "./normalize-token-answer.ts";
import type { OAuthParty, TokenEndpoint, TokenOutcome, TokenSet } from "./oauth-client.ts";
import { providerUrl } from "./provider-url.ts";

interface Deps {
  readonly egress: Pick<Egress, "request" | "fetchLike">;
  /** Exact origins that a `baseUrlOverride` of a test workspace may lead to. */
  readonly sandboxOrigins: readonly string[];
  readonly log: Logger;
}

const ANSWER_BYTES_MAX = 256 * 1024;

/** The token endpoint by oauth4webapi, over our guarded `fetch` and each connector's dialect. */
export function createTokenEndpoint(deps: Deps): TokenEndpoint {
  return {
    exchange: (at, { query, redirectUri, pkceVerifier, deadlineMs }) =>
      ask(deps, at, deadlineMs, async ({ server, client, authentication, options }) => {
        // The state was compared by hash before; this checks `iss` where given, and marks the query as checked.
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
  };
}

interface Exchange {
  readonly server: oauth.AuthorizationServer;
  readonly client: oauth.Client;
  readonly authentication: oauth.ClientAuth;
  readonly options: oauth.TokenEndpointRequestOptions;
}

async function ask(
  deps: Deps,
  at: OAuthParty,
  deadlineMs: number,
  work: (exchange: Exchange) => Promise<oauth.TokenEndpointResponse>,
): Promise<TokenOutcome> {
  const { auth } = at;
  const endpoint = providerUrl(auth.tokenUrl(at.params), at.baseUrlOverride, at.params);
  const { origin } = new URL(endpoint);
  const sandbox = at.mode === "test" && at.baseUrlOverride !== null && deps.sandboxOrigins.includes(origin);
  const secret = at.clientSecret.reveal();
  let status: number | null = null;
  const fetched = deps.egress.fetchLike({
    exemptOrigins: sandbox ? [origin] : [],
    deadlineMs,
    responseBytesMax: ANSWER_BYTES_MAX,
    requireHttps: true,
  });
  const startedAt = performance.now();
  try {
    const answer = await work({
      server: { issuer: origin, token_endpoint: endpoint },
      client: { client_id: at.clientId },
      authentication:
        auth.clientAuthentication.kind === "client_secret_basic"
          ? oauth.ClientSecretBasic(secret)
          : oauth.ClientSecretPost(secret),
      options: {
        [oauth.customFetch]: normalizingFetch(auth, fetched, (given) => (status = given)),
        // Only the sandbox is spoken to without TLS; the egress guard decides.
        [oauth.allowInsecureRequests]: sandbox,
      },
    });
    return { ok: true, tokens: toTokens(at, answer) };
  } catch (error) {
    return judge(error, status);
  } finally {
    const latencyMs = Math.round(performance.now() - startedAt);
    deps.log.info({ provider: at.connector.id, operation: "token", status, latencyMs }, "provider call");
  }
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

/** Statuses by which a token endpoint says that asking again is of no use. */
const REFUSALS: ReadonlySet<number> = new Set([400, 401, 403, 404]);
const CLIENT_ERRORS: ReadonlySet<string> = new Set(["invalid_client", "unauthorized_client"]);

function judge(error: unknown, status: number | null): TokenOutcome {
  if (status === null) return { ok: false, problem: "unavailable", lost: wasSent(error) };
  if (error instanceof oauth.ResponseBodyError && CLIENT_ERRORS.has(error.error)) {
    return { ok: false, problem: "misconfigured", lost: false };
  }
  if (REFUSALS.has(status)) return { ok: false, problem: "refused", lost: false };
  // A success that cannot be read, or an error after which nobody knows what was done.
  return { ok: false, problem: "unavailable", lost: status < 400 || status >= 500 };
}

/** Whether the request may have reached the provider; false for everything that failed before it was sent. */
function wasSent(error: unknown): boolean {
  return error instanceof Error && "sent" in error && error.sent === true;
}
