import type { RefreshPolicy } from "../../connectors/kit/index.ts";
import { claimRefresh, type Claim } from "./claim-refresh.ts";
import { currentToken } from "./current-token.ts";
import type { Access, CredentialsDeps, GrantTarget } from "./deps.ts";
import { deriveAgain } from "./derive-again.ts";
import { asksForTokens, partyOf } from "./load-grant.ts";
import type { OAuthParty, TokenOutcome } from "./oauth-client.ts";
import { toPair } from "./plan-refresh.ts";
import { commitPair, markDead, markUnavailable } from "./settle-refresh.ts";
import { openPair, orphanPlace, previousTokensPlace, tokensPlace, type TokenPair } from "./token-pair.ts";

const POLL_MS = 250;
/** How long a caller waits for another process's refresh; a little less than its lease. */
const WAIT_MS_MAX = 25_000;
/** All requests of one claim together; the lease outlasts them. */
const REQUESTS_MS_MAX = 20_000;
const REQUEST_MS_MAX = 10_000;

/**
 * Gets a new token pair, once over all processes.
 *
 * 1. Claim, committed: lease and fence in the row; no database connection is held during HTTP.
 * 2. Ask, and after a lost answer once more with the same token where the provider allows it.
 * 3. Commit before use, guarded by the fence. A pair that comes too late is kept as an orphan, since it may be the only
 *    valid one.
 * 4. Refused: try orphans, newest first, then the pair before. Only then the grant is dead, provisionally.
 */
export async function refresh(deps: CredentialsDeps, target: GrantTarget, seenRowVersion: number): Promise<Access> {
  const signal = AbortSignal.timeout(WAIT_MS_MAX);
  while (!signal.aborted) {
    const claim = await claimRefresh(deps, target, seenRowVersion);
    switch (claim.kind) {
      case "claimed": {
        const access = await useClaim(deps, target, claim);
        if (access !== "overtaken") return access;
        break;
      }
      case "newer":
        return currentToken(deps, claim.row);
      case "dying":
        return { problem: "unavailable" };
      case "over":
        await deps.onGrantDead(target);
        return { problem: "reauthorize" };
      case "busy":
        break;
    }
    await deps.sleep(POLL_MS, signal).catch(() => {});
  }
  return { problem: "unavailable" };
}

async function useClaim(
  deps: CredentialsDeps,
  target: GrantTarget,
  claim: Claim & { readonly kind: "claimed" },
): Promise<Access | "overtaken"> {
  if (!asksForTokens(deps, claim.row)) return markDead(deps, claim, { provisional: false });
  const party = await partyOf(deps, claim.row);
  if (party !== null && party.auth.kind !== "oauth2") return deriveAgain(deps, { ...party, auth: party.auth }, claim);
  const pairs = await pairsToTry(deps, claim);
  if (party === null) return markUnavailable(deps, claim.row, false);
  if (pairs.length === 0 || policyOf(party).kind === "none") {
    return markDead(deps, claim, { provisional: false });
  }
  const trustedUntil = performance.now() + REQUESTS_MS_MAX;
  for (const pair of pairs) {
    const issuedAt = deps.clock.now();
    const outcome = await askTwice(deps, party, pair, trustedUntil);
    if (outcome.ok) return commitPair(deps, claim.row, toPair(outcome.tokens, issuedAt, pair), issuedAt);
    if (outcome.problem === "refused") continue;
    if (outcome.problem === "misconfigured") {
      deps.log.error({ provider: claim.row.provider, workspaceId: target.workspaceId }, "client credentials refused");
    }
    return markUnavailable(deps, claim.row, outcome.lost);
  }
  return markDead(deps, claim, { provisional: true });
}

interface RefreshablePair extends TokenPair {
  readonly refreshToken: NonNullable<TokenPair["refreshToken"]>;
}

/** The row's own, then orphans from new to old, then the one before. */
async function pairsToTry(
  deps: CredentialsDeps,
  { row, orphans }: Claim & { readonly kind: "claimed" },
): Promise<readonly RefreshablePair[]> {
  const { workspaceId, id } = row;
  const sealed = [
    ...(row.tokens === null ? [] : [{ place: tokensPlace(id, row.rowVersion), value: row.tokens }]),
    ...orphans.map((orphan) => ({ place: orphanPlace(orphan.id), value: orphan.tokens })),
    ...(row.previousTokens === null
      ? []
      : [{ place: previousTokensPlace(id, row.rowVersion), value: row.previousTokens }]),
  ];
  const pairs = await Promise.all(sealed.map(({ place, value }) => openPair(deps.vault, workspaceId, place, value)));
  const seen = new Set<string>();
  return pairs.filter((pair): pair is RefreshablePair => {
    const token = pair.refreshToken?.reveal();
    if (token === undefined || seen.has(token)) return false;
    seen.add(token);
    return true;
  });
}

/** After a lost answer the same token once more, where that is safe: the provider may have carried the first out. */
async function askTwice(
  deps: CredentialsDeps,
  party: OAuthParty,
  pair: RefreshablePair,
  trustedUntil: number,
): Promise<TokenOutcome> {
  const ask = (): Promise<TokenOutcome> => {
    const deadlineMs = Math.min(REQUEST_MS_MAX, trustedUntil - performance.now());
    if (deadlineMs <= 0) return Promise.resolve({ ok: false, problem: "unavailable", lost: false });
    return deps.oauth.refresh(party, { refreshToken: pair.refreshToken, deadlineMs });
  };
  const first = await ask();
  if (first.ok || !first.lost || !mayReplay(policyOf(party))) return first;
  const second = await ask();
  return second.ok || second.problem === "refused" ? second : { ...second, lost: true };
}

function policyOf({ auth }: OAuthParty): RefreshPolicy {
  return auth.kind === "oauth2" ? auth.refresh : { kind: "none" };
}

function mayReplay(policy: RefreshPolicy): boolean {
  return policy.kind === "stable" || (policy.kind === "rotating" && policy.oldTokenWorks === "until_replaced");
}
