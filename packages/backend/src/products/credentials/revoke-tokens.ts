import type { Secret } from "../../platform/runtime/index.ts";
import type { CredentialsDeps, GrantTarget } from "./deps.ts";
import { loadGrant, partyOf } from "./load-grant.ts";
import type { Revocation } from "./oauth-client.ts";
import { openSecret, tokensPlace, type GrantSecret } from "./token-pair.ts";

const DEADLINE_MS = 5_000;

/**
 * Tells the provider's authorization server that a grant's tokens are no longer wanted: the refresh token first, since
 * its end often ends the others (RFC 7009 2.1).
 *
 * @returns `unavailable`: not told yet, keep the tokens and try again
 */
export async function revokeTokens(deps: CredentialsDeps, target: GrantTarget): Promise<Revocation> {
  const seen = await deps.withWorkspace(target.workspaceId, (tx) => loadGrant(tx, target));
  if (seen === null || seen.row.tokens === null) return "done";
  const { row } = seen;
  const party = await partyOf(deps, row);
  if (party === null || party.auth.revocationUrl === null) return "done";
  const secret = await openSecret(deps.vault, row.workspaceId, tokensPlace(row.id, row.rowVersion), seen.row.tokens);
  let worst: Revocation = "done";
  for (const { token, kind } of tokensOf(secret)) {
    const told = await deps.oauth.revoke(party, { token, kind, deadlineMs: DEADLINE_MS });
    if (told === "unavailable") return told;
    if (told === "refused") worst = told;
  }
  return worst;
}

function tokensOf(
  secret: GrantSecret,
): readonly { readonly token: Secret; readonly kind: "access_token" | "refresh_token" }[] {
  if (secret.kind === "fields") return [];
  const access = { token: secret.accessToken, kind: "access_token" } as const;
  if (secret.kind === "derived" || secret.refreshToken === null) return [access];
  return [{ token: secret.refreshToken, kind: "refresh_token" }, access];
}
