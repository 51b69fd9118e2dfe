import type { WorkspaceId } from "@patchbay/shared";
import { sql, type SQL } from "drizzle-orm";
import type { DeliveryDeps } from "../deps.ts";
import { firstIdAt } from "../first-id-at.ts";
import { forgetDeletedEndpoints } from "./forget-deleted-endpoints.ts";
import { pruneDeliveries } from "./prune-deliveries.ts";

export type PruneDeps = Pick<DeliveryDeps, "worker" | "clock" | "retentionDays">;

/** What hosts answered may hold anything: it is for looking at a failure, not for keeping. */
const RESPONSE_DAYS = 7;
const DAY_MS = 86_400_000;
/** Rows of one statement of attempts or replays, and statements of one call; the rest is for the next hour. */
const ROWS_MAX = 5_000;
const ROUNDS_MAX = 200;

/**
 * Forgets what came of deliveries: answers after a week; replays, then deliveries that arrived or were skipped, with
 * their attempts, once they ended longer ago than the retention; endpoints that were deleted as long ago, whole.
 *
 * What is still to arrive, and dead letters, are kept for as long as it takes.
 *
 * @returns how many rows
 */
export async function pruneHistory(deps: PruneDeps, workspaceId: WorkspaceId): Promise<number> {
  const daysAgo = (days: number) => new Date(deps.clock.now().getTime() - days * DAY_MS);
  const endedBefore = daysAgo(deps.retentionDays);
  const answers = sql`
    update attempts set response_body = null where workspace_id = ${workspaceId} and id in (
      select id from attempts where workspace_id = ${workspaceId} and response_body is not null
        and id < ${firstIdAt(daysAgo(RESPONSE_DAYS))}::uuid order by id limit ${ROWS_MAX}
    )`;
  const replays = sql`
    delete from delivery_replays where workspace_id = ${workspaceId} and id in (
      select id from delivery_replays
      where workspace_id = ${workspaceId} and finished_at < ${endedBefore.toISOString()}::timestamptz limit ${ROWS_MAX}
    )`;
  const rows = (await repeat(deps, workspaceId, answers)) + (await repeat(deps, workspaceId, replays));
  const pruned = await pruneDeliveries(deps, { workspaceId, endedBefore });
  return rows + pruned + (await forgetDeletedEndpoints(deps, { workspaceId, deletedBefore: endedBefore }));
}

async function repeat(deps: PruneDeps, workspaceId: WorkspaceId, statement: SQL): Promise<number> {
  let count = 0;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const done = (await deps.worker.withWorkspace(workspaceId, (tx) => tx.execute(statement))).count;
    count += done;
    if (done < ROWS_MAX) break;
  }
  return count;
}
