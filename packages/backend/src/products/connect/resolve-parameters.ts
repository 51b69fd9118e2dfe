import { AppError, type ResolveParameters } from "@patchbay/shared";
import type { Connector, ConnectionParams } from "../../connectors/kit/index.ts";
import type { ProviderAppFacts } from "../../domain/workspaces/index.ts";
import { providerUrl } from "../credentials/index.ts";
import type { ConnectDeps } from "./deps.ts";
import { providerFor } from "./provider-for.ts";
import type { SessionContext } from "./session-context.ts";

const DEADLINE_MS = 5_000;
const RESPONSE_BYTES_MAX = 64 * 1024;

/**
 * What a person typed → the canonical values, and whether the account exists.
 *
 * @throws AppError `invalid_shop`, `shop_not_found`, and those of {@link providerFor}
 */
export async function resolveParameters(
  deps: ConnectDeps,
  session: SessionContext,
  provider: string,
  typed: Readonly<Record<string, string>>,
): Promise<ResolveParameters> {
  const { connector, app } = await providerFor(deps, session, provider);
  const parameters = canonicalParameters(connector, typed);
  if (connector.parameters.length > 0) await checkExists(deps, session, connector, app, parameters);
  return { parameters };
}

/** Values of the declared parameters and nothing else. @throws AppError `invalid_shop` */
export function canonicalParameters(
  connector: Connector,
  typed: Readonly<Record<string, string>>,
): Record<string, string> {
  const values: Record<string, string> = {};
  for (const parameter of connector.parameters) {
    const value = parameter.normalize(typed[parameter.name] ?? "");
    if (value === null || !parameter.pattern.test(value)) {
      throw new AppError("invalid_shop", `${parameter.label}: not an address that ${connector.name} gives out`, {
        errors: [{ path: `parameters.${parameter.name}`, message: `for example ${parameter.example}` }],
      });
    }
    values[parameter.name] = value;
  }
  return values;
}

/** Only a clear no counts: when the provider is slow or down, authorizing tells. */
async function checkExists(
  deps: ConnectDeps,
  session: SessionContext,
  connector: Connector,
  app: ProviderAppFacts,
  params: ConnectionParams,
): Promise<void> {
  const url = providerUrl(new URL(connector.api.baseUrl(params)).origin, app.baseUrlOverride, params).replace(
    /\/$/,
    "",
  );
  const { origin } = new URL(url);
  const sandbox = session.mode === "test" && app.baseUrlOverride !== null && deps.sandboxOrigins.includes(origin);
  const result = await deps.egress.request({
    url,
    method: "GET",
    headers: { accept: "text/html" },
    exemptOrigins: sandbox ? [origin] : [],
    deadlineMs: DEADLINE_MS,
    responseBytesMax: RESPONSE_BYTES_MAX,
    requireHttps: true,
  });
  const absent = result.ok ? result.status === 404 : result.problem === "dns";
  if (absent) throw new AppError("shop_not_found", `${connector.name} knows no such account`);
}
