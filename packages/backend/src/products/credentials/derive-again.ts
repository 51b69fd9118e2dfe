import type { ClientCredentialsAuth, JwtBearerAuth } from "../../connectors/kit/index.ts";
import type { OrphanRow } from "./claim-refresh.ts";
import type { Access, CredentialsDeps } from "./deps.ts";
import type { GrantRow } from "./load-grant.ts";
import type { OAuthParty } from "./oauth-client.ts";
import { commitPair, markDead, markUnavailable } from "./settle-refresh.ts";
import { openSecret, tokensPlace } from "./token-pair.ts";

const DEADLINE_MS = 10_000;

/** Where there is no refresh token: the next token is asked for with the same credentials, under the same claim. */
export async function deriveAgain(
  deps: CredentialsDeps,
  party: OAuthParty<ClientCredentialsAuth | JwtBearerAuth>,
  claim: { readonly row: GrantRow; readonly orphans: readonly OrphanRow[] },
): Promise<Access | "overtaken"> {
  const { row } = claim;
  if (row.tokens === null) return { problem: "reauthorize" };
  const secret = await openSecret(deps.vault, row.workspaceId, tokensPlace(row.id, row.rowVersion), row.tokens);
  if (secret.kind !== "derived") throw new Error(`${party.auth.kind} with a sealed ${secret.kind}`);
  const issuedAt = deps.clock.now();
  const { fields } = secret;
  const outcome = await deps.oauth.derive(party, { fields, scopes: row.scopes, deadlineMs: DEADLINE_MS });
  if (outcome.ok) {
    const { accessToken, expiresInSeconds } = outcome.tokens;
    const accessExpiresAt = expiresInSeconds === null ? null : new Date(issuedAt.getTime() + expiresInSeconds * 1000);
    return commitPair(deps, row, { kind: "derived", fields, accessToken, accessExpiresAt }, issuedAt);
  }
  // There is nothing else to try: no orphan and no former pair could be better.
  if (outcome.problem === "refused") return markDead(deps, claim, { provisional: false });
  if (outcome.problem === "misconfigured") {
    deps.log.error({ provider: row.provider, workspaceId: row.workspaceId }, "client credentials refused");
  }
  return markUnavailable(deps, row, false);
}
