import type { WorkspaceId } from "@patchbay/shared";
import { sql } from "drizzle-orm";
import type { IngestDeps } from "../deps.ts";
import { firstIdAt } from "./inbox-id.ts";

/** Copies are told for longer than any provider retries. One that comes later is read again, which changes nothing. */
const DEDUPE_DAYS = 7;
/** Rows of one statement. */
const ROWS_MAX = 10_000;
/** Statements of one call; the rest is for the next hour. */
const ROUNDS_MAX = 100;

type PruneDeps = Pick<IngestDeps, "worker" | "clock" | "inboxRetentionDays">;

/**
 * Forgets what is no longer needed beside the inbox itself: keys of copies, outcomes of deliveries whose partition is
 * dropped, replays that ended as long ago.
 *
 * @returns how many rows
 */
export async function pruneInbox(deps: PruneDeps, workspaceId: WorkspaceId): Promise<number> {
  const daysAgo = (days: number) => new Date(deps.clock.now().getTime() - days * 86_400_000);
  const seenBefore = daysAgo(DEDUPE_DAYS).toISOString();
  // A partition goes when its whole day is past the retention.
  const droppedBefore = daysAgo(deps.inboxRetentionDays + 1);
  const statements = [
    sql`delete from inbox_dedupe where workspace_id = ${workspaceId} and (source_id, key) in (
          select source_id, key from inbox_dedupe
          where workspace_id = ${workspaceId} and seen_at < ${seenBefore}::timestamptz limit ${ROWS_MAX}
        ) returning 1`,
    sql`delete from inbox_outcomes where workspace_id = ${workspaceId} and (inbox_id, element) in (
          select inbox_id, element from inbox_outcomes
          where workspace_id = ${workspaceId} and inbox_id < ${firstIdAt(droppedBefore)} order by inbox_id limit ${ROWS_MAX}
        ) returning 1`,
    sql`delete from inbox_replays where workspace_id = ${workspaceId} and id in (
          select id from inbox_replays
          where workspace_id = ${workspaceId} and finished_at < ${droppedBefore.toISOString()}::timestamptz limit ${ROWS_MAX}
        ) returning 1`,
  ];
  let pruned = 0;
  for (const statement of statements) {
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const rows = await deps.worker.withWorkspace(workspaceId, (tx) => tx.execute(statement));
      pruned += rows.length;
      if (rows.length < ROWS_MAX) break;
    }
  }
  return pruned;
}
