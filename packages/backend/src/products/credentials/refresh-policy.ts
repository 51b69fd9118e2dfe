import { authMethod, type RefreshPolicy } from "../../connectors/kit/index.ts";
import type { CredentialsDeps } from "./deps.ts";
import type { GrantRow } from "./load-grant.ts";

/** What the provider does with refresh tokens: the connector's data. */
export function refreshPolicyOf(
  deps: Pick<CredentialsDeps, "connectors">,
  row: Pick<GrantRow, "provider" | "authMethod">,
): RefreshPolicy {
  const connector = deps.connectors[row.provider];
  const method = connector === undefined ? null : authMethod(connector, row.authMethod);
  if (method?.kind === "oauth2") return method.refresh;
  // What a token is derived from works again and again; what is sent as it is has nothing to be asked for.
  return method !== null && "tokenUrl" in method ? { kind: "stable" } : { kind: "none" };
}

/** Whether a second use of a refresh token costs the whole grant: it is sent once, whatever comes of it. */
export function isSingleUse(policy: RefreshPolicy): boolean {
  return policy.kind === "rotating" && policy.oldTokenWorks === "never";
}

/** Days without a refresh after which the provider forgets the grant; `null`: it does not. */
export function idleDaysOf(policy: RefreshPolicy): number | null {
  return policy.kind === "rotating" ? policy.idleDays : null;
}
