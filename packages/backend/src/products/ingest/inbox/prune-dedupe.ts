import type { WorkspaceId } from "@patchbay/shared";
import { sql } from "drizzle-orm";
import type { IngestDeps } from "../deps.ts";

/** Longer than any provider retries. A copy that comes later is read again, which changes nothing. */
const KEPT_DAYS = 7;
const ROWS_MAX = 10_000;

/** Forgets deliveries seen long ago. @returns how many; call again while it is the maximum */
export async function pruneDedupe(
  deps: Pick<IngestDeps, "worker" | "clock">,
  workspaceId: WorkspaceId,
): Promise<number> {
  const before = new Date(deps.clock.now().getTime() - KEPT_DAYS * 86_400_000);
  const rows = await deps.worker.withWorkspace(workspaceId, (tx) =>
    tx.execute(sql`
      delete from inbox_dedupe where workspace_id = ${workspaceId} and (source_id, key) in (
        select source_id, key from inbox_dedupe
        where workspace_id = ${workspaceId} and seen_at < ${before.toISOString()}::timestamptz limit ${ROWS_MAX}
      ) returning 1`),
  );
  return rows.length;
}
