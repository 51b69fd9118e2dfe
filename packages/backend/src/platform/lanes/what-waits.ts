import { sql } from "drizzle-orm";
import type { Tx } from "../db/index.ts";
import type { LaneKind } from "./enqueue.ts";

/** Waiting lanes looked at, those due soonest first; what comes behind them is found by a poll. */
const CANDIDATES_MAX = 500;

export interface Waiting {
  /** Whether other roles handed in anything. */
  readonly fed: boolean;
  /**
   * When the next lane of the kind may be claimed, so far as it waits for a time: its own, its limits', or the end of
   * the lease of whoever holds it. `null`: nothing waits.
   */
  readonly due: Date | null;
}

/** What a worker of a kind of lanes that has no more to do waits for. */
export async function whatWaits(tx: Tx, kind: LaneKind): Promise<Waiting> {
  const [row] = await tx.execute<{ fed: boolean; due: string | null }>(sql`
    select exists (select 1 from queue.feed) as fed, least(
      (select min(greatest(l.next_at, m.free_at, m.full_until)) from (
        select workspace_id, lane_id, next_at from queue.lanes
        where kind = ${kind} and pending > 0 and lease_until is null order by next_at limit ${CANDIDATES_MAX}
      ) l left join queue.limits m using (workspace_id, lane_id)),
      (select min(lease_until) from queue.lanes where kind = ${kind} and lease_until is not null)
    ) as due`);
  const due = row?.due ?? null;
  return { fed: row?.fed ?? false, due: due === null ? null : new Date(due) };
}
