import * as oauth from "oauth4webapi";
import type { Egress } from "../../platform/egress/index.ts";
import type { Logger } from "../../platform/observability/index.ts";
import type { Clock } from "../../platform/runtime/index.ts";
import { NotSetUp, clientProof } from "./client-authentication.ts";
import { normalizingFetch } from "./normalize-token-answer.ts";
import type { OAuthParty, TokenProblem } from "./oauth-client.ts";
import { providerUrl } from "./provider-url.ts";
import { BadKey } from "./sign-assertion.ts";

export interface ReachDeps {
  readonly egress: Pick<Egress, "request" | "fetchLike">;
  /** Exact origins that a `baseUrlOverride` of a test workspace may lead to. */
  readonly sandboxOrigins: readonly string[];
  readonly clock: Clock;
  readonly log: Logger;
}

/** What oauth4webapi needs for one request to an authorization server. */
export interface Exchange {
  readonly server: oauth.AuthorizationServer;
  readonly client: oauth.Client;
  readonly authentication: oauth.ClientAuth;
  readonly options: oauth.TokenEndpointRequestOptions;
}

export interface Wanted {
  readonly operation: "token" | "revoke" | "introspect";
  /** As the connector declares it. */
  readonly endpoint: string;
  readonly deadlineMs: number;
}

const ANSWER_BYTES_MAX = 256 * 1024;

/** One request to an authorization server, over our guarded `fetch` and the connector's dialect. Never throws. */
export async function reachServer<Answer>(
  deps: ReachDeps,
  at: OAuthParty,
  wanted: Wanted,
  work: (exchange: Exchange) => Promise<Answer>,
): Promise<{ readonly ok: true; readonly answer: Answer } | (TokenProblem & { readonly ok: false })> {
  const endpoint = providerUrl(wanted.endpoint, at.baseUrlOverride, at.params);
  const { origin } = new URL(endpoint);
  const sandbox = at.mode === "test" && at.baseUrlOverride !== null && deps.sandboxOrigins.includes(origin);
  let status: number | null = null;
  let retryAfter: string | null = null;
  const startedAt = performance.now();
  try {
    const { authentication, certificate } = await clientProof(at, endpoint);
    const fetched = deps.egress.fetchLike({
      exemptOrigins: sandbox ? [origin] : [],
      deadlineMs: wanted.deadlineMs,
      responseBytesMax: ANSWER_BYTES_MAX,
      requireHttps: true,
      ...(certificate === null ? {} : { clientCertificate: certificate }),
    });
    const answer = await work({
      server: {
        issuer: issuerOf(at, origin),
        token_endpoint: endpoint,
        revocation_endpoint: endpoint,
        introspection_endpoint: endpoint,
        authorization_response_iss_parameter_supported: at.auth.kind === "oauth2" && at.auth.requiresIss,
      },
      client: { client_id: at.clientId },
      authentication,
      options: {
        [oauth.customFetch]: normalizingFetch(at.auth, fetched, (given, wait) => {
          status = given;
          retryAfter = wait;
        }),
        // Only the sandbox is spoken to without TLS; the egress guard decides.
        [oauth.allowInsecureRequests]: sandbox,
      },
    });
    return { ok: true, answer };
  } catch (error) {
    return { ok: false, ...judge(error, status, retryAfter) };
  } finally {
    const latencyMs = Math.round(performance.now() - startedAt);
    deps.log.info({ provider: at.connector.id, operation: wanted.operation, status, latencyMs }, "provider call");
  }
}

/** Identifiers of authorization servers are compared letter by letter. */
function issuerOf(at: OAuthParty, origin: string): string {
  const declared = at.auth.issuer?.(at.params);
  if (declared === undefined) return origin;
  const there = providerUrl(declared, at.baseUrlOverride, at.params);
  return declared.endsWith("/") ? there : there.replace(/\/$/, "");
}

/** Statuses by which a token endpoint says that asking again is of no use. */
const REFUSALS: ReadonlySet<number> = new Set([400, 401, 403, 404]);
const CLIENT_ERRORS: ReadonlySet<string> = new Set(["invalid_client", "unauthorized_client"]);

function judge(error: unknown, status: number | null, retryAfter: string | null): TokenProblem {
  if (error instanceof NotSetUp) return { problem: "misconfigured", lost: false };
  if (error instanceof BadKey) return { problem: "refused", lost: false };
  if (status === null) return { problem: "unavailable", lost: wasSent(error) };
  if (isClientError(error)) return { problem: "misconfigured", lost: false };
  if (REFUSALS.has(status)) return { problem: "refused", lost: false };
  // Both say that nothing was done: "too many", "not now".
  if (status === 429 || status === 503) {
    const retryAfterMs = millisecondsOf(retryAfter) ?? (status === 429 ? PAUSE_MS : null);
    return { problem: "unavailable", lost: false, ...(retryAfterMs === null ? {} : { retryAfterMs }) };
  }
  // A success that cannot be read, or an error after which nobody knows what was done.
  return { problem: "unavailable", lost: status < 400 || status >= 500 };
}

/** Where a refusal for the rate does not say. */
const PAUSE_MS = 10_000;

/** Of a `Retry-After`: seconds or an HTTP date. Anything else: `null`. */
function millisecondsOf(retryAfter: string | null): number | null {
  if (retryAfter === null) return null;
  const ms = /^\d+(\.\d+)?$/.test(retryAfter.trim()) ? Number(retryAfter) * 1_000 : Date.parse(retryAfter) - Date.now();
  return ms >= 0 ? ms : null;
}

function isClientError(error: unknown): boolean {
  return error instanceof oauth.ResponseBodyError && CLIENT_ERRORS.has(error.error);
}

/** Whether the request may have reached the provider; false for everything that failed before it was sent. */
function wasSent(error: unknown): boolean {
  return error instanceof Error && "sent" in error && error.sent === true;
}
