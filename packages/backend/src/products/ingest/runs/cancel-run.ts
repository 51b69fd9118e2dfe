import type { Run, RunId, WorkspaceId } from "@patchbay/shared";
import { and, eq, inArray, sql } from "drizzle-orm";
import type { IngestDeps } from "../deps.ts";
import { runs } from "../tables.ts";
import { getRun } from "./read-runs.ts";

/**
 * Asks a run to end. One that waits ends at once, one that runs after the page it is reading; an ended one stays as it
 * is.
 *
 * @throws AppError `run_not_found`
 */
export async function cancelRun(
  deps: Pick<IngestDeps, "app" | "clock">,
  input: { readonly workspaceId: WorkspaceId; readonly runId: RunId },
): Promise<Run> {
  const { workspaceId, runId } = input;
  const now = deps.clock.now();
  await deps.app.withWorkspace(workspaceId, (tx) =>
    tx
      .update(runs)
      .set({
        cancelRequestedAt: now,
        status: sql`case when ${runs.status} = 'queued' then 'canceled' else ${runs.status} end`,
        finishedAt: sql`case when ${runs.status} = 'queued' then ${now.toISOString()}::timestamptz else ${runs.finishedAt} end`,
      })
      .where(and(eq(runs.workspaceId, workspaceId), eq(runs.id, runId), inArray(runs.status, ["queued", "running"]))),
  );
  return getRun(deps, input);
}
