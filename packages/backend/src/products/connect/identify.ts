import {
  parseJson,
  type AccountIdentity,
  type AuthMethod,
  type ConnectionParams,
  type Connector,
  type ProviderResponse,
} from "../../connectors/kit/index.ts";
import { placeCredential, providerUrl, type Credential } from "../credentials/index.ts";
import type { ConnectDeps } from "./deps.ts";

const DEADLINE_MS = 10_000;
const RESPONSE_BYTES_MAX = 256 * 1024;

/** Who is asked, and how. */
export interface Asked {
  readonly connector: Connector;
  readonly auth: AuthMethod;
  readonly params: ConnectionParams;
  readonly baseUrlOverride: string | null;
  readonly mode: "live" | "test";
  /** Who asks: connections with a client certificate are theirs alone. */
  readonly owner: string;
}

export interface Unidentified {
  readonly problem: "refused" | "unavailable";
}
const UNAVAILABLE: Unidentified = { problem: "unavailable" };

/**
 * Whose account a fresh credential opens. It belongs to no grant yet, so the provider client cannot ask.
 *
 * @returns a problem when the provider refuses the credential, or does not tell
 */
export async function identify(
  deps: Pick<ConnectDeps, "egress" | "sandboxOrigins" | "log">,
  party: Asked,
  credential: Credential,
): Promise<AccountIdentity | Unidentified> {
  const { connector } = party;
  const response = await ask(deps, party, credential);
  if (response === null) return UNAVAILABLE;
  const fault = connector.classify(response);
  if (fault?.kind === "reauthorize" || response.status === 401) return { problem: "refused" };
  if (fault !== null || response.status >= 300) return UNAVAILABLE;
  return parseIdentity(deps, connector, response) ?? UNAVAILABLE;
}

async function ask(
  deps: Pick<ConnectDeps, "egress" | "sandboxOrigins">,
  party: Asked,
  credential: Credential,
): Promise<ProviderResponse | null> {
  const { connector, auth, params, baseUrlOverride, mode, owner } = party;
  const request = connector.identity.request();
  const url = new URL(providerUrl(connector.api.baseUrl(params), baseUrlOverride, params) + request.path);
  for (const [name, value] of Object.entries(request.query ?? {})) url.searchParams.set(name, value);
  const sandbox = mode === "test" && baseUrlOverride !== null && deps.sandboxOrigins.includes(url.origin);
  const placed = placeCredential(auth, credential, owner);
  const result = await deps.egress.request({
    ...placed,
    url: url.href,
    method: request.method,
    headers: {
      ...request.headers,
      accept: "application/json",
      ...(request.body === undefined ? {} : { "content-type": "application/json" }),
      ...placed.headers,
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
