import { authMethod, type Connector, type ProviderRequest } from "../../connectors/kit/index.ts";
import type { EgressRequest } from "../../platform/egress/index.ts";
import { VERSION } from "../../platform/runtime/index.ts";
import { placeCredential, providerUrl, type Credential, type GrantFacts } from "../credentials/index.ts";

/** Answers are held in memory. */
const RESPONSE_BYTES_MAX = 25 * 1024 * 1024;
/** One attempt, whatever the deadline of the whole call. */
export const ATTEMPT_MS_MAX = 30_000;
const USER_AGENT = `Patchbay/${VERSION}`;

/** A connector's request with origin, version, credentials and limits. @throws Error when it would leave the API */
export function buildRequest(
  connector: Connector,
  facts: GrantFacts,
  request: ProviderRequest,
  credential: Credential,
  sandboxOrigins: readonly string[],
): Omit<EgressRequest, "deadlineMs" | "signal"> {
  const base = providerUrl(connector.api.baseUrl(facts.params), facts.baseUrlOverride, facts.params);
  const url = joinUrl(base, request.path, request.query ?? {});
  const placed = placeCredential(authMethod(connector, facts.authMethod), credential, facts.grantId);
  const { origin } = url;
  return {
    ...placed,
    url: url.href,
    method: request.method,
    headers: {
      ...request.headers,
      accept: "application/json",
      "user-agent": USER_AGENT,
      ...(request.body === undefined ? {} : { "content-type": "application/json" }),
      ...placed.headers,
    },
    ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
    exemptOrigins: isSandbox(facts, origin, sandboxOrigins) ? [origin] : [],
    requireHttps: true,
    responseBytesMax: RESPONSE_BYTES_MAX,
  };
}

/**
 * The base with a path and query below it. The base decides who gets the token, so a path that climbs out of it, in
 * whatever spelling, is a bug of the connector.
 */
export function joinUrl(base: string, path: string, query: Readonly<Record<string, string>>): URL {
  const root = new URL(base);
  const rootPath = root.pathname.replace(/\/$/, "");
  if (!path.startsWith("/") || CLIMBS.test(path)) throw new Error("a provider request with a path that leaves its API");
  const url = new URL(root.origin + rootPath + path);
  if (url.origin !== root.origin || !url.pathname.startsWith(`${rootPath}/`)) {
    throw new Error("a provider request with a path that leaves its API");
  }
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  return url;
}

/** Empty and dotted segments, also encoded, also with path parameters, and backslashes. */
const CLIMBS = /^\/\/|\\|%5c|(?:^|\/|%2f)(?:\.|%2e){1,2}(?:[;/?#]|%2f|%3b|$)/i;

/** Checked when the app is stored, and here again: only a test workspace, only an origin that the operator named. */
function isSandbox(facts: GrantFacts, origin: string, sandboxOrigins: readonly string[]): boolean {
  return facts.mode === "test" && facts.baseUrlOverride !== null && sandboxOrigins.includes(origin);
}
