import { and, eq } from "drizzle-orm";
import type { ConnectionId } from "@patchbay/shared";
import type { ClaimedLane } from "../../platform/lanes/index.ts";
import { connectionEnded } from "./connection-ended.ts";
import type { IngestDeps } from "./deps.ts";
import { runs } from "./tables.ts";

/** Empties the lane of a connection that is no more; what is still open of it ends here. */
export async function endWork(deps: Pick<IngestDeps, "worker" | "clock">, lane: ClaimedLane): Promise<void> {
  const { workspaceId, laneId } = lane.key;
  const connectionId = laneId as ConnectionId;
  await deps.worker.withWorkspace(workspaceId, async (tx) => {
    await lane.settle(
      tx,
      lane.items.map(({ id }) => ({ id, outcome: "done" as const })),
    );
    await connectionEnded(tx, deps, { workspaceId, connectionId });
    await tx
      .update(runs)
      .set({ status: "canceled", finishedAt: deps.clock.now() })
      .where(and(eq(runs.workspaceId, workspaceId), eq(runs.connectionId, connectionId), eq(runs.status, "running")));
  });
}
