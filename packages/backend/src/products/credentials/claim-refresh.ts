import { and, desc, eq, sql } from "drizzle-orm";
import { grants, orphanTokenPairs } from "../../domain/connections/index.ts";
import type { Tx } from "../../platform/db/index.ts";
import { newId } from "../../platform/runtime/index.ts";
import type { CredentialsDeps, GrantTarget } from "./deps.ts";
import { lockGrant, ofGrant, type GrantRow } from "./load-grant.ts";

export type OrphanRow = typeof orphanTokenPairs.$inferSelect;

export type Claim =
  /** We alone may refresh, as long as the lease lasts; `row.fence` proves it. */
  | { readonly kind: "claimed"; readonly row: GrantRow; readonly orphans: readonly OrphanRow[] }
  /** Somebody refreshed since. */
  | { readonly kind: "newer"; readonly row: GrantRow }
  /** Somebody is at it. */
  | { readonly kind: "busy" }
  /** Refused a moment ago, and nothing has come to revive it with. */
  | { readonly kind: "dying" }
  | { readonly kind: "over" };

/** How long one process alone may refresh a grant; above the time that its requests may take together. */
const LEASE_SECONDS = 30;
/** A refused grant may still be revived by a pair that is on its way. */
const DEATH_PROVISIONAL_MS = 60_000;
/** Pairs to try; more than a few mean that something else is wrong. */
const ORPHANS_MAX = 3;

/**
 * The intent, committed before anything is sent: after a crash the row tells that a refresh was under way. Leases are
 * judged by the database's clock, which all processes share.
 */
export async function claimRefresh(deps: CredentialsDeps, target: GrantTarget, seenRowVersion: number): Promise<Claim> {
  return deps.withWorkspace(target.workspaceId, async (tx) => {
    const row = await lockGrant(tx, target);
    if (row === null || row.state === "ended" || row.tokens === null) return { kind: "over" };
    if (row.rowVersion > seenRowVersion && row.state !== "dead") return { kind: "newer", row };
    if (row.state === "refreshing" && (await isLeased(tx, target))) return { kind: "busy" };
    const orphans = await newestOrphans(tx, target);
    if (row.state === "dead" && orphans.length === 0) {
      return { kind: isDeadForGood(row, deps.clock.now()) ? "over" : "dying" };
    }
    const [claimed] = await tx
      .update(grants)
      .set({
        state: "refreshing",
        deadSince: null,
        fence: row.fence + 1,
        leaseUntil: sql`now() + make_interval(secs => ${LEASE_SECONDS})`,
        attemptId: newId(),
        updatedAt: deps.clock.now(),
      })
      .where(ofGrant(target))
      .returning();
    if (claimed === undefined) throw new Error("the grant was not written");
    return { kind: "claimed", row: claimed, orphans };
  });
}

/** Whether the time is over in which a late pair could revive a refused grant. */
export function isDeadForGood(row: GrantRow, now: Date): boolean {
  return row.deadSince !== null && now.getTime() - row.deadSince.getTime() >= DEATH_PROVISIONAL_MS;
}

/** For grants that nothing can revive: they were never refreshable. */
export function deadForGoodSince(now: Date): Date {
  return new Date(now.getTime() - DEATH_PROVISIONAL_MS);
}

async function isLeased(tx: Tx, target: GrantTarget): Promise<boolean> {
  const [row] = await tx
    .select({ leased: sql<boolean>`coalesce(${grants.leaseUntil} > now(), false)` })
    .from(grants)
    .where(ofGrant(target));
  return row?.leased === true;
}

function newestOrphans(tx: Tx, target: GrantTarget): Promise<OrphanRow[]> {
  return tx
    .select()
    .from(orphanTokenPairs)
    .where(and(eq(orphanTokenPairs.workspaceId, target.workspaceId), eq(orphanTokenPairs.grantId, target.grantId)))
    .orderBy(desc(orphanTokenPairs.createdAt), desc(orphanTokenPairs.id))
    .limit(ORPHANS_MAX);
}
