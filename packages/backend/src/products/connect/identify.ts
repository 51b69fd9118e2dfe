import type { AccountIdentity, Connector, ProviderResponse } from "../../connectors/kit/index.ts";
import { parseJson } from "../../connectors/kit/index.ts";
import type { Secret } from "../../platform/runtime/index.ts";
import { providerUrl, type OAuthParty } from "../credentials/index.ts";
import type { ConnectDeps } from "./deps.ts";

const DEADLINE_MS = 10_000;
const RESPONSE_BYTES_MAX = 256 * 1024;

/**
 * Whose account fresh tokens open. They belong to no grant yet, so the provider client cannot ask.
 *
 * @returns `null` when the provider does not tell
 */
export async function identify(
  deps: Pick<ConnectDeps, "egress" | "sandboxOrigins" | "log">,
  party: OAuthParty,
  accessToken: Secret,
): Promise<AccountIdentity | null> {
  const { connector } = party;
  const response = await ask(deps, party, accessToken);
  if (response === null || connector.classify(response) !== null || response.status >= 300) return null;
  return parseIdentity(deps, connector, response);
}

async function ask(
  deps: Pick<ConnectDeps, "egress" | "sandboxOrigins">,
  party: OAuthParty,
  accessToken: Secret,
): Promise<ProviderResponse | null> {
  const { connector, params, baseUrlOverride, mode } = party;
  const request = connector.identity.request();
  const url = new URL(providerUrl(connector.api.baseUrl(params), baseUrlOverride, params) + request.path);
  for (const [name, value] of Object.entries(request.query ?? {})) url.searchParams.set(name, value);
  const sandbox = mode === "test" && baseUrlOverride !== null && deps.sandboxOrigins.includes(url.origin);
  const [authorizationName, authorizationValue] = connector.api.authorizationHeader(accessToken.reveal());
  const result = await deps.egress.request({
    url: url.href,
    method: request.method,
    headers: {
      ...request.headers,
      accept: "application/json",
      ...(request.body === undefined ? {} : { "content-type": "application/json" }),
      [authorizationName]: authorizationValue,
    },
    ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
    exemptOrigins: sandbox ? [url.origin] : [],
    deadlineMs: DEADLINE_MS,
    responseBytesMax: RESPONSE_BYTES_MAX,
    requireHttps: true,
  });
  if (!result.ok || result.truncated) return null;
  const parsed = parseJson(result.body);
  return "value" in parsed ? { status: result.status, headers: result.headers, body: parsed.value } : null;
}

function parseIdentity(
  deps: Pick<ConnectDeps, "log">,
  connector: Connector,
  response: ProviderResponse,
): AccountIdentity | null {
  try {
    return connector.identity.parse(response);
  } catch (error) {
    // A shape that the connector does not know. Its message may quote the answer, so only its kind is logged.
    const kind = error instanceof Error ? error.name : typeof error;
    deps.log.error({ provider: connector.id, kind }, "identity not understood");
    return null;
  }
}
