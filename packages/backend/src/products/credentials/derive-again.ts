import type { ClientCredentialsAuth, JwtBearerAuth } from "../../connectors/kit/index.ts";
import { awaitTurn } from "./await-turn.ts";
import type { Claimed } from "./claim-refresh.ts";
import type { CredentialsDeps } from "./deps.ts";
import type { OAuthParty } from "./oauth-client.ts";
import { commitPair, hindranceOf, markDead, markUnavailable, type Settled } from "./settle-refresh.ts";
import { openSecret, tokensPlace } from "./token-pair.ts";

/** Where there is no refresh token: the next token is asked for with the same credentials, under the same claim. */
export async function deriveAgain(
  deps: CredentialsDeps,
  party: OAuthParty<ClientCredentialsAuth | JwtBearerAuth>,
  claim: Claimed,
): Promise<Settled> {
  const { row, claimedAt } = claim;
  if (row.tokens === null) return { problem: "reauthorize" };
  const secret = await openSecret(deps.vault, row.workspaceId, tokensPlace(row.id, row.rowVersion), row.tokens);
  if (secret.kind !== "derived") throw new Error(`${party.auth.kind} with a sealed ${secret.kind}`);
  if ((await awaitTurn(deps, row, claim.turn)) === null)
    return markUnavailable(deps, claim, { kind: "paused", ms: 0 }, null);
  const { fields } = secret;
  const deadlineMs = deps.timings.requestMs;
  const outcome = await deps.oauth.derive(party, { fields, scopes: row.scopes, deadlineMs });
  if (outcome.ok) {
    const { accessToken, expiresInSeconds } = outcome.tokens;
    const accessExpiresAt = expiresInSeconds === null ? null : new Date(claimedAt.getTime() + expiresInSeconds * 1000);
    return commitPair(deps, claim, { kind: "derived", fields, accessToken, accessExpiresAt }, claimedAt);
  }
  // There is nothing else to try: no orphan and no former pair could be better.
  if (outcome.problem === "refused") return markDead(deps, claim, { provisional: false, lost: false });
  if (outcome.problem === "misconfigured") {
    deps.log.error({ provider: row.provider, workspaceId: row.workspaceId }, "client credentials refused");
  }
  return markUnavailable(deps, claim, hindranceOf({ ...outcome, lost: false }), null);
}
