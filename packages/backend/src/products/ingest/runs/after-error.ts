import type { RunId, WorkspaceId } from "@patchbay/shared";
import { sql } from "drizzle-orm";
import type { ClaimedLane, LaneItem } from "../../../platform/lanes/index.ts";
import { backOff } from "../backoff.ts";
import type { IngestDeps } from "../deps.ts";
import { runs } from "../tables.ts";
import { isRun } from "./run-context.ts";

/** A run that fails for a reason of ours this often in a row ends. */
const ERRORS_MAX = 5;

/** Puts a run off that we ourselves failed to work; in the end the run fails and frees its connection. */
export async function afterRunError(
  deps: Pick<IngestDeps, "worker" | "clock">,
  lane: ClaimedLane,
  item: LaneItem,
): Promise<void> {
  const workspaceId: WorkspaceId = lane.key.workspaceId;
  const now = deps.clock.now();
  await deps.worker.withWorkspace(workspaceId, async (tx) => {
    const [row] = await tx
      .update(runs)
      .set({
        cursors: sql`jsonb_set(${runs.cursors}, '{errors}', to_jsonb(coalesce((${runs.cursors}->>'errors')::int, 0) + 1))`,
      })
      .where(isRun(workspaceId, item.id as RunId))
      .returning({ cursors: runs.cursors });
    const errors = Number(row?.cursors["errors"] ?? ERRORS_MAX);
    if (errors < ERRORS_MAX) return lane.settle(tx, [{ id: item.id, outcome: { at: backOff(now, errors) } }]);
    await tx
      .update(runs)
      .set({ status: "failed", problem: "internal_error", finishedAt: now })
      .where(isRun(workspaceId, item.id as RunId));
    await lane.settle(tx, [{ id: item.id, outcome: "done" }]);
  });
}
