import { isSpent, claimRefresh, type Claimed } from "./claim-refresh.ts";
import { currentToken } from "./current-token.ts";
import type { Access, CredentialsDeps, GrantTarget } from "./deps.ts";
import { deriveAgain } from "./derive-again.ts";
import { partyOf } from "./load-grant.ts";
import type { OAuthParty, TokenOutcome } from "./oauth-client.ts";
import { toPair } from "./plan-refresh.ts";
import { idleDaysOf, isSingleUse, refreshPolicyOf } from "./refresh-policy.ts";
import {
  commitPair,
  hindranceOf,
  markAsked,
  markDead,
  markUnavailable,
  type Candidate,
  type Settled,
} from "./settle-refresh.ts";
import { awaitTurn, turnNow } from "./await-turn.ts";
import { openPair, orphanPlace, previousTokensPlace, tokensPlace } from "./token-pair.ts";

/** `none`: there is a token that still works, so nothing is waited for. */
export type Patience = "wait" | "none";

/** Of the pause after a grant was turned away: from a quarter of a second to eight seconds. */
const DOUBLINGS_MAX = 5;

/**
 * Gets a new token pair, once over all processes. `README.md` draws a grant's states.
 *
 * 1. Claim, committed: lease and fence in the row; no database connection is held during HTTP.
 * 2. Ask, and after a lost answer once more with the same token where the provider allows it.
 * 3. Commit before use, guarded by the fence. A pair that comes too late is kept, since it may be the only valid one.
 * 4. Refused: try orphans, newest first, then the pair before. Only then the grant is dead, provisionally.
 */
export async function refresh(
  deps: CredentialsDeps,
  target: GrantTarget,
  seenRowVersion: number,
  patience: Patience,
): Promise<Access> {
  deps.at("flight");
  const { timings } = deps;
  const signal = AbortSignal.timeout(timings.waitMs);
  using watch = deps.news.watch(target);
  let turnedAway = 0;
  do {
    const startedMs = performance.now();
    const claim = await claimRefresh(deps, target, seenRowVersion, patience === "wait" ? timings.turnMs : 0);
    let pauseMs = timings.pollMs;
    switch (claim.kind) {
      case "claimed": {
        const settled = await useClaim(deps, target, claim, startedMs + claim.turn.inMs + timings.requestsMs);
        if (settled !== "again") return settled;
        continue;
      }
      case "newer":
        return currentToken(deps, claim.row);
      case "dying":
        return { problem: "unavailable" };
      case "over":
        if (claim.deadSince !== null) await deps.onGrantDead({ ...target, deadSince: claim.deadSince });
        return { problem: "reauthorize" };
      case "later":
        // Many wait for few places: they come back spread, and the more seldom the more often they were turned away.
        // All at their usual pace would keep the database so busy that places go by unused.
        pauseMs = Math.max(pauseMs, claim.ms) * 2 ** Math.min(turnedAway, DOUBLINGS_MAX) * (1 + deps.random());
        turnedAway += 1;
        break;
      case "busy":
        break;
    }
    if (patience === "wait") await watch.next(pauseMs, signal);
  } while (patience === "wait" && !signal.aborted);
  return { problem: "unavailable" };
}

/** @param endMs of all requests, by this process's running time: the lease lasts longer */
async function useClaim(deps: CredentialsDeps, target: GrantTarget, claim: Claimed, endMs: number): Promise<Settled> {
  deps.at("claimed");
  const policy = refreshPolicyOf(deps, claim.row);
  const party = await partyOf(deps, claim.row);
  if (party !== null && party.auth.kind !== "oauth2") return deriveAgain(deps, { ...party, auth: party.auth }, claim);
  if (policy.kind === "none") return markDead(deps, claim, { provisional: false, lost: false });
  if (party === null) return markUnavailable(deps, claim, { kind: "failed", down: false }, null);
  const singleUse = isSingleUse(policy);
  const { candidates, refreshable } = await candidatesOf(deps, claim, singleUse);
  if (!refreshable) return markDead(deps, claim, { provisional: false, lost: false });
  const sendByMs = await awaitTurn(deps, claim.row, claim.turn);
  if (sendByMs === null) return markUnavailable(deps, claim, { kind: "paused", ms: 0 }, null);
  const asking: Asking = { deps, claim, party, singleUse, endMs, sendByMs };
  let lost = false;
  for (const candidate of candidates) {
    const outcome = await (singleUse ? askOnce(asking, candidate) : askTwice(asking, candidate));
    if (outcome === "again") return outcome;
    if (outcome.ok) {
      deps.at("answered");
      const pair = toPair(outcome.tokens, claim.claimedAt, candidate.pair, idleDaysOf(policy));
      return commitPair(deps, claim, pair, claim.claimedAt);
    }
    lost ||= outcome.lost;
    if (outcome.problem === "refused" || (singleUse && outcome.lost)) continue;
    if (outcome.problem === "misconfigured") {
      deps.log.error({ provider: claim.row.provider, workspaceId: target.workspaceId }, "client credentials refused");
    }
    return markUnavailable(deps, claim, hindranceOf(outcome), candidate);
  }
  return markDead(deps, claim, { provisional: true, lost });
}

/** The row's own, then orphans from new to old, then the one before; of those that work once, what was never sent. */
async function candidatesOf(
  deps: CredentialsDeps,
  { row, orphans }: Claimed,
  singleUse: boolean,
): Promise<{ readonly candidates: readonly Candidate[]; readonly refreshable: boolean }> {
  const { workspaceId, id } = row;
  const own =
    row.tokens === null ? [] : [{ place: tokensPlace(id, row.rowVersion), value: row.tokens, orphanId: null }];
  const late = orphans.map((each) => ({ place: orphanPlace(each.id), value: each.tokens, orphanId: each.id }));
  const former =
    row.previousTokens === null || singleUse
      ? []
      : [{ place: previousTokensPlace(id, row.rowVersion), value: row.previousTokens, orphanId: null }];
  const opened = await Promise.all(
    [...own, ...late, ...former].map(async ({ place, value, orphanId }) => ({
      pair: await openPair(deps.vault, workspaceId, place, value),
      orphanId,
    })),
  );
  const spent = isSpent(row, singleUse) ? own.length : 0;
  const seen = new Set<string>();
  const candidates = opened.slice(spent).flatMap(({ pair, orphanId }): Candidate[] => {
    const { refreshToken } = pair;
    if (refreshToken === null || seen.has(refreshToken.reveal())) return [];
    seen.add(refreshToken.reveal());
    return [{ pair: { ...pair, refreshToken }, orphanId }];
  });
  return { candidates, refreshable: opened.some(({ pair }) => pair.refreshToken !== null) };
}

interface Asking {
  readonly deps: CredentialsDeps;
  readonly claim: Claimed;
  readonly party: OAuthParty;
  readonly singleUse: boolean;
  readonly endMs: number;
  /** Until when the turn holds that was taken and not used. */
  sendByMs: number | null;
}

/** What a second request would destroy is sent once, and its answer waited for as long as it may come. */
async function askOnce(asking: Asking, candidate: Candidate): Promise<TokenOutcome | "again"> {
  const { deps, claim } = asking;
  if (!(await markAsked(deps, claim, candidate))) return "again";
  deps.at("asking");
  return send(asking, candidate, deps.timings.singleUseRequestMs);
}

/** After trouble the same token once more: the provider may have carried the first request out, or not. */
async function askTwice(asking: Asking, candidate: Candidate): Promise<TokenOutcome> {
  const { deps, endMs } = asking;
  deps.at("asking");
  const first = await send(asking, candidate, Math.min(deps.timings.requestMs, endMs - performance.now()));
  if (first.ok || first.problem !== "unavailable" || first.retryAfterMs !== undefined) return first;
  const second = await send(asking, candidate, Math.min(deps.timings.requestMs, endMs - performance.now()));
  return second.ok || second.problem === "refused" ? second : { ...second, lost: first.lost || second.lost };
}

async function send(asking: Asking, { pair }: Candidate, deadlineMs: number): Promise<TokenOutcome> {
  const { deps, claim, party } = asking;
  if (deadlineMs <= 0) return NOT_SENT;
  // Looked at last: what was done since the turn was taken may have taken its time.
  if (asking.sendByMs === null || performance.now() > asking.sendByMs) {
    const sendByMs = await awaitTurn(deps, claim.row, await turnNow(deps, claim.row));
    if (sendByMs === null) return NOT_SENT;
  }
  asking.sendByMs = null;
  return deps.oauth.refresh(party, { refreshToken: pair.refreshToken, deadlineMs });
}

const NOT_SENT: TokenOutcome = { ok: false, problem: "unavailable", lost: false, retryAfterMs: 0 };
