import { sql } from "drizzle-orm";
import type { Tx } from "../db/index.ts";
import type { LaneKind } from "./enqueue.ts";

/** Waiting lanes looked at, those due soonest first; what comes behind them is found by a poll. */
const CANDIDATES_MAX = 500;

/**
 * When the next lane of a kind may be claimed, so far as it waits for a time: its own, its limits', or the end of the
 * lease of whoever holds it.
 *
 * @returns `null` when nothing waits
 */
export async function nextDue(tx: Tx, kind: LaneKind): Promise<Date | null> {
  const [row] = await tx.execute<{ at: string | null }>(sql`
    select least(
      (select min(greatest(l.next_at, m.free_at, m.full_until)) from (
        select workspace_id, lane_id, next_at from queue.lanes
        where kind = ${kind} and pending > 0 and lease_until is null order by next_at limit ${CANDIDATES_MAX}
      ) l left join queue.limits m using (workspace_id, lane_id)),
      (select min(lease_until) from queue.lanes where kind = ${kind} and lease_until is not null)
    ) as at`);
  const at = row?.at ?? null;
  return at === null ? null : new Date(at);
}
