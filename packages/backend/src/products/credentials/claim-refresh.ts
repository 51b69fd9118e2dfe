import { and, desc, eq, isNull } from "drizzle-orm";
import { grants, orphanTokenPairs } from "../../domain/connections/index.ts";
import type { Tx } from "../../platform/db/index.ts";
import { newId } from "../../platform/runtime/index.ts";
import type { CredentialsDeps, GrantTarget } from "./deps.ts";
import { lockGrant, ofGrant, type GrantRow } from "./load-grant.ts";
import { isSingleUse, refreshPolicyOf } from "./refresh-policy.ts";
import type { RefreshTimings } from "./refresh-timings.ts";
import { reserveTurn, tokenLimitOf, type Turn } from "./token-budget.ts";

export type OrphanRow = typeof orphanTokenPairs.$inferSelect;

export type Claim =
  | Claimed
  /** Somebody refreshed since. */
  | { readonly kind: "newer"; readonly row: GrantRow }
  /** Somebody is at it. */
  | { readonly kind: "busy" }
  /** It is not this grant's turn at the token endpoint. */
  | { readonly kind: "later"; readonly ms: number }
  /** Refused a moment ago, and nothing has come to revive it with. */
  | { readonly kind: "dying" }
  /** `deadSince`: the provider refused it for good; `null`: it was given back, or over to the host. */
  | { readonly kind: "over"; readonly deadSince: Date | null };

/** We alone may refresh, as long as the lease lasts; `row.fence` proves it. */
export interface Claimed {
  readonly kind: "claimed";
  readonly row: GrantRow;
  /** Newest first; those that may have been used already are left out where they work once. */
  readonly orphans: readonly OrphanRow[];
  /** By the database's clock: what a new token's life is counted from. */
  readonly claimedAt: Date;
  /** When the first request is to be sent. */
  readonly turn: Turn & { readonly kind: "reserved" };
}

/** Pairs to try; more than a few mean that something else is wrong. */
const ORPHANS_MAX = 3;

/**
 * The intent, committed before anything is sent: after a crash the row tells that a refresh was under way. Everything
 * is judged by the database's clock, which all processes share.
 *
 * @param turnMsMax how long the caller would wait for the grant's turn at the token endpoint
 */
export async function claimRefresh(
  deps: CredentialsDeps,
  target: GrantTarget,
  seenRowVersion: number,
  turnMsMax: number,
): Promise<Claim> {
  return deps.withWorkspace(target.workspaceId, async (tx) => {
    const seen = await lockGrant(tx, target);
    if (seen === null || seen.row.state === "ended" || seen.row.tokens === null)
      return { kind: "over", deadSince: null };
    const { row, now } = seen;
    if (row.handedOverAt !== null) return { kind: "over", deadSince: null };
    if (row.rowVersion > seenRowVersion && row.state !== "dead") return { kind: "newer", row };
    if (isLeased(row, now)) return { kind: "busy" };
    const policy = refreshPolicyOf(deps, row);
    const orphans = await untriedOrphans(tx, target, isSingleUse(policy));
    if (row.state === "dead" && orphans.length === 0) {
      return isDeadForGood(row, now, deps.timings) ? { kind: "over", deadSince: row.deadSince } : { kind: "dying" };
    }
    const sendable = policy.kind !== "none" && (orphans.length > 0 || !isSpent(row, isSingleUse(policy)));
    const turn = sendable ? await reserve(tx, deps, row, turnMsMax) : NOTHING_TO_SEND;
    if (turn.kind === "later") return turn;
    const [claimed] = await tx
      .update(grants)
      .set({
        state: "refreshing",
        deadSince: null,
        fence: row.fence + 1,
        leaseUntil: new Date(now.getTime() + turn.inMs + deps.timings.leaseMs),
        attemptId: newId(),
        updatedAt: now,
      })
      .where(ofGrant(target))
      .returning();
    if (claimed === undefined) throw new Error("the grant was not written");
    return { kind: "claimed", row: claimed, orphans, claimedAt: now, turn };
  });
}

/** Whether the time is over in which a late pair could revive a refused grant before anybody is told. */
export function isDeadForGood(row: GrantRow, now: Date, timings: RefreshTimings): boolean {
  return row.deadSince !== null && now.getTime() - row.deadSince.getTime() >= timings.provisionalMs;
}

/** For grants that nothing can revive: they were never refreshable. */
export function deadForGoodSince(now: Date, timings: RefreshTimings): Date {
  return new Date(now.getTime() - timings.provisionalMs);
}

/** Whether somebody is refreshing it, and may still come back. */
export function isLeased(row: GrantRow, now: Date): boolean {
  return row.state === "refreshing" && row.leaseUntil !== null && row.leaseUntil > now;
}

/** Whether the row's own refresh token must not be sent (again). */
export function isSpent(row: GrantRow, singleUse: boolean): boolean {
  return singleUse && row.askedAt !== null;
}

const NOTHING_TO_SEND: Turn = { kind: "reserved", inMs: 0, sendByMs: 0 };

function reserve(tx: Tx, deps: CredentialsDeps, row: GrantRow, turnMsMax: number): Promise<Turn> {
  return reserveTurn(tx, row, tokenLimitOf(deps.connectors[row.provider]), turnMsMax);
}

function untriedOrphans(tx: Tx, target: GrantTarget, singleUse: boolean): Promise<OrphanRow[]> {
  return tx
    .select()
    .from(orphanTokenPairs)
    .where(
      and(
        eq(orphanTokenPairs.workspaceId, target.workspaceId),
        eq(orphanTokenPairs.grantId, target.grantId),
        singleUse ? isNull(orphanTokenPairs.askedAt) : undefined,
      ),
    )
    .orderBy(desc(orphanTokenPairs.createdAt), desc(orphanTokenPairs.id))
    .limit(ORPHANS_MAX);
}
