import { sql } from "drizzle-orm";
import type { WithQueue } from "../db/index.ts";

/** A lane that had no work for this long is forgotten; work makes it anew. */
const IDLE_MS = 24 * 60 * 60_000;
/** Rows of one statement, and statements of one call; the rest is for the next day. */
const ROWS_MAX = 5_000;
const ROUNDS_MAX = 200;

/**
 * Forgets lanes that had no work for a day, and the virtual times and limits that nobody's lanes use any more: else
 * every tenant and endpoint that ever was would stay in the tables that each claim reads. Worker role only.
 *
 * @returns how many rows
 */
export async function pruneLanes(withQueue: WithQueue, now: Date): Promise<number> {
  const idleSince = sql`${new Date(now.getTime() - IDLE_MS).toISOString()}::timestamptz`;
  const statements = [
    // Whoever places an item holds the lane's row, or waits for the deletion and makes it anew.
    sql`delete from queue.lanes where (workspace_id, kind, lane_id, tenant_uid) in (
          select workspace_id, kind, lane_id, tenant_uid from queue.lanes l
          where pending = 0 and lease_until is null and next_at < ${idleSince} and not exists (
            select 1 from queue.items i where (i.workspace_id, i.kind, i.lane_id, i.tenant_uid) = (l.workspace_id, l.kind, l.lane_id, l.tenant_uid)
          ) limit ${ROWS_MAX} for update skip locked
        ) returning 1`,
    sql`delete from queue.tenants where (workspace_id, tenant_uid, kind) in (
          select workspace_id, tenant_uid, kind from queue.tenants t where not exists (
            select 1 from queue.lanes l where (l.workspace_id, l.tenant_uid, l.kind) = (t.workspace_id, t.tenant_uid, t.kind)
          ) limit ${ROWS_MAX} for update skip locked
        ) returning 1`,
    sql`delete from queue.limits where (workspace_id, lane_id) in (
          select workspace_id, lane_id from queue.limits m where not exists (
            select 1 from queue.lanes l where l.workspace_id = m.workspace_id and l.lane_id = m.lane_id
          ) limit ${ROWS_MAX} for update skip locked
        ) returning 1`,
  ];
  let pruned = 0;
  for (const statement of statements) {
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const rows = await withQueue((tx) => tx.execute(statement));
      pruned += rows.length;
      if (rows.length < ROWS_MAX) break;
    }
  }
  return pruned;
}
