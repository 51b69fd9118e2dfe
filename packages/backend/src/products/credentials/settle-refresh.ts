import { and, eq, inArray, isNull } from "drizzle-orm";
import { grants, orphanTokenPairs } from "../../domain/connections/index.ts";
import type { Tx } from "../../platform/db/index.ts";
import { newId, type Secret } from "../../platform/runtime/index.ts";
import { deadForGoodSince, isLeased, type Claimed } from "./claim-refresh.ts";
import type { Access, CredentialsDeps, GrantTarget } from "./deps.ts";
import { lockGrant, ofGrant, type GrantRow, type SeenGrant } from "./load-grant.ts";
import type { TokenProblem } from "./oauth-client.ts";
import { keepAliveInstant, refreshInstant, retryDelayMs } from "./plan-refresh.ts";
import { noteAnswer, notePause, noteSilence } from "./token-budget.ts";
import {
  grantKeySpec,
  openSecret,
  orphanPlace,
  previousTokensPlace,
  sealSecret,
  tokensPlace,
  type DerivedToken,
  type TokenPair,
} from "./token-pair.ts";

/** `again`: somebody else has refreshed, or is at it, or has left something to try. */
export type Settled = Access | "again";

/**
 * Writes the new pair; only then it may be used. A pair that comes too late is still taken when the grant has nothing
 * newer and nobody is at it, or is dead; else it is kept as an orphan, and tried when what there is gets refused.
 */
export async function commitPair(
  deps: CredentialsDeps,
  { row: claimed }: Claimed,
  pair: TokenPair | DerivedToken,
  issuedAt: Date,
) {
  const target = targetOf(claimed);
  const sealer = await deps.vault.sealer(grantKeySpec(claimed.workspaceId, claimed.id));
  const former =
    claimed.tokens === null
      ? null
      : await openSecret(deps.vault, claimed.workspaceId, tokensPlace(claimed.id, claimed.rowVersion), claimed.tokens);
  const outcome = await deps.withWorkspace(claimed.workspaceId, async (tx) => {
    const seen = await lockGrant(tx, target);
    if (seen === null || seen.row.state === "ended") return "ended";
    const { row, now } = seen;
    if (!mayTake(seen, claimed)) {
      const id = newId<string>();
      const tokens = sealSecret(sealer, orphanPlace(id), pair);
      await tx
        .insert(orphanTokenPairs)
        .values({ workspaceId: row.workspaceId, id, grantId: row.id, tokens, createdAt: now });
      return "orphaned";
    }
    const rowVersion = row.rowVersion + 1;
    await tx
      .update(grants)
      .set({
        tokens: sealSecret(sealer, tokensPlace(row.id, rowVersion), pair),
        previousTokens: former === null ? null : sealSecret(sealer, previousTokensPlace(row.id, rowVersion), former),
        rowVersion,
        state: "active",
        deadSince: null,
        fence: row.fence + 1,
        leaseUntil: null,
        attemptId: null,
        askedAt: null,
        failures: 0,
        accessExpiresAt: pair.accessExpiresAt,
        refreshAt: refreshInstant(issuedAt, pair, deps.random),
        refreshExpiresAt: pair.kind === "tokens" ? pair.refreshExpiresAt : null,
        keepAliveAt: keepAliveInstant(issuedAt, pair, deps.random),
        updatedAt: now,
      })
      .where(ofGrant(target));
    await deleteOrphans(tx, row);
    await noteAnswer(tx, row);
    return { rowVersion, wasTold: row.deathToldAt !== null };
  });
  if (outcome === "orphaned") deps.at("overtaken");
  else deps.at("committed");
  deps.news.tell(target);
  if (outcome === "ended") return { problem: "reauthorize" } as const;
  if (outcome === "orphaned") return "again";
  if (outcome.wasTold) await deps.onGrantRevived(target);
  return { token: pair.accessToken, rowVersion: outcome.rowVersion };
}

/** A pair that a claim may try: the row's own, or an orphan. */
export interface Candidate {
  readonly pair: TokenPair & { readonly refreshToken: Secret };
  readonly orphanId: string | null;
}

/** Notes that a token which works once is about to be sent. @returns false when the claim is lost: do not send */
export async function markAsked(
  deps: CredentialsDeps,
  { row: claimed }: Claimed,
  { orphanId }: Candidate,
): Promise<boolean> {
  return deps.withWorkspace(claimed.workspaceId, async (tx) => {
    const seen = await holdClaim(tx, claimed);
    if (seen === null) return false;
    const leaseUntil = new Date(seen.now.getTime() + deps.timings.singleUseLeaseMs);
    await tx
      .update(grants)
      .set({ leaseUntil })
      .where(ofGrant(targetOf(claimed)));
    await setAsked(tx, claimed, orphanId, seen.now);
    return true;
  });
}

/**
 * What kept a refresh from its end. `lost`: nobody knows whether the provider carried the request out. `paused`: it
 * asked for a pause. `failed`: nothing was done; `down`: by the endpoint's fault.
 */
export type Hindrance =
  | { readonly kind: "lost" }
  | { readonly kind: "paused"; readonly ms: number }
  | { readonly kind: "failed"; readonly down: boolean };

export function hindranceOf(outcome: TokenProblem): Hindrance {
  if (outcome.lost) return { kind: "lost" };
  if (outcome.retryAfterMs !== undefined) return { kind: "paused", ms: outcome.retryAfterMs };
  return { kind: "failed", down: outcome.problem === "unavailable" };
}

/** The pair at hand stays, and is tried again. @param candidate what was sent; not carried out, it is not spent */
export async function markUnavailable(
  deps: CredentialsDeps,
  { row: claimed }: Claimed,
  hindrance: Hindrance,
  candidate: Candidate | null,
): Promise<Settled> {
  const settled = await deps.withWorkspace(claimed.workspaceId, async (tx) => {
    const seen = await holdClaim(tx, claimed);
    if (seen === null) return "again";
    const failures = hindrance.kind === "paused" ? seen.row.failures : seen.row.failures + 1;
    await endClaim(tx, seen, {
      state: hindrance.kind === "lost" ? "uncertain" : "active",
      failures,
      ...(hindrance.kind === "paused"
        ? {}
        : { refreshAt: new Date(seen.now.getTime() + retryDelayMs(failures, deps.timings, deps.random)) }),
    });
    if (hindrance.kind !== "lost" && candidate !== null) await setAsked(tx, claimed, candidate.orphanId, null);
    if (hindrance.kind === "paused") {
      await notePause(tx, claimed, hindrance.ms);
      return "again";
    }
    if (hindrance.kind === "lost" || hindrance.down) await noteSilence(tx, claimed);
    return { problem: "unavailable" } as const;
  });
  if (hindrance.kind === "lost") deps.at("lost");
  deps.news.tell(targetOf(claimed));
  return settled;
}

/**
 * Every pair was refused, or must not be sent again. One that has come since the claim is tried before the grant is
 * given up.
 *
 * @param how.provisional a late pair may still come; else nothing can revive the grant and the host is told at once
 * @param how.lost an answer was: the endpoint may be down
 */
export async function markDead(
  deps: CredentialsDeps,
  claim: Claimed,
  how: { readonly provisional: boolean; readonly lost: boolean },
): Promise<Settled> {
  const { row } = claim;
  const target = targetOf(row);
  const deadSince = await deps.withWorkspace(row.workspaceId, async (tx) => {
    const seen = await holdClaim(tx, row);
    if (seen === null) return null;
    const tried = claim.orphans.map((orphan) => orphan.id);
    await deleteOrphans(tx, row, tried);
    const [untried] = await tx
      .select({ id: orphanTokenPairs.id })
      .from(orphanTokenPairs)
      .where(and(orphansOf(row), isNull(orphanTokenPairs.askedAt)))
      .limit(1);
    if (untried !== undefined) {
      await endClaim(tx, seen, { state: "uncertain" });
      return null;
    }
    const since = how.provisional ? seen.now : deadForGoodSince(seen.now, deps.timings);
    await endClaim(tx, seen, { state: "dead", deadSince: since });
    await (how.lost ? noteSilence(tx, row) : noteAnswer(tx, row));
    return since;
  });
  if (deadSince === null) return "again";
  deps.at("dead");
  deps.news.tell(target);
  if (how.provisional) return { problem: "unavailable" };
  await deps.onGrantDead({ ...target, deadSince });
  return { problem: "reauthorize" };
}

function mayTake({ row, now }: SeenGrant, claimed: GrantRow): boolean {
  if (row.state === "dead" || holds(row, claimed)) return true;
  return row.rowVersion === claimed.rowVersion && !isLeased(row, now);
}

/** The row, locked until the end of the transaction; `null` when the claim does not hold any more. */
async function holdClaim(tx: Tx, claimed: GrantRow): Promise<SeenGrant | null> {
  const seen = await lockGrant(tx, targetOf(claimed));
  return seen !== null && holds(seen.row, claimed) ? seen : null;
}

function holds(row: GrantRow, claimed: GrantRow): boolean {
  return row.state === "refreshing" && row.fence === claimed.fence;
}

async function setAsked(tx: Tx, row: GrantRow, orphanId: string | null, askedAt: Date | null): Promise<void> {
  if (orphanId === null) {
    await tx
      .update(grants)
      .set({ askedAt })
      .where(ofGrant(targetOf(row)));
    return;
  }
  await tx
    .update(orphanTokenPairs)
    .set({ askedAt })
    .where(and(orphansOf(row), eq(orphanTokenPairs.id, orphanId)));
}

async function endClaim(tx: Tx, { row, now }: SeenGrant, changes: Partial<typeof grants.$inferInsert>): Promise<void> {
  await tx
    .update(grants)
    .set({ ...changes, leaseUntil: null, attemptId: null, updatedAt: now })
    .where(ofGrant(targetOf(row)));
}

async function deleteOrphans(tx: Tx, row: GrantRow, only?: readonly string[]): Promise<void> {
  const which = only === undefined ? undefined : inArray(orphanTokenPairs.id, [...only]);
  await tx.delete(orphanTokenPairs).where(and(orphansOf(row), which));
}

function orphansOf(row: GrantRow) {
  return and(eq(orphanTokenPairs.workspaceId, row.workspaceId), eq(orphanTokenPairs.grantId, row.id));
}

function targetOf(row: GrantRow): GrantTarget {
  return { workspaceId: row.workspaceId, grantId: row.id };
}
