import { and, eq } from "drizzle-orm";
import { changeHealth, connections, lockConnection } from "../../../domain/connections/index.ts";
import type { Tx } from "../../../platform/db/index.ts";
import { announceRun } from "./announce-run.ts";
import { healthAfterRun } from "./health-after-run.ts";
import { saveRun, type RunContext } from "./run-context.ts";
import { runStatusOf } from "./run-state.ts";
import type { RunRow } from "./to-run.ts";

/** Ends a run, plans the next one and tells the host, in one transaction. @param forced `null`: as its models say */
export async function finishRun(
  context: RunContext,
  forced: "failed" | "canceled" | null,
  problem: string | null,
): Promise<void> {
  const { deps, lane, item, connection, sealer } = context;
  const status = forced ?? runStatusOf(context.row.models);
  const now = deps.clock.now();
  const finished = await deps.worker.withWorkspace(context.row.workspaceId, async (tx) => {
    await lane.settle(tx, [{ id: item.id, outcome: "done" }]);
    const reason = problem ?? context.row.models.find((model) => model.problem !== null)?.problem ?? null;
    // The connection before the run, as whoever ends a connection.
    await planNext(tx, context, status, now);
    await noteHealth(tx, context, { status, problem: reason, models: context.row.models });
    const after = await saveRun(tx, context, { status, problem: reason, finishedAt: now }, context.state);
    if (status !== "canceled") {
      await announceRun(tx, sealer, connection.owner, `run.${status}`, after.row, now);
    }
    return after.row;
  });
  deps.wake.poke("events");
  deps.log.info(
    {
      ...connection.lane,
      runId: finished.id,
      kind: finished.kind,
      status,
      problem: finished.problem,
      elapsedMs: now.getTime() - (finished.startedAt ?? finished.createdAt).getTime(),
      done: finished.models.reduce((sum, model) => sum + model.done, 0),
      quarantined: finished.models.reduce((sum, model) => sum + model.quarantined, 0),
    },
    "run finished",
  );
}

/** Read anew: the row that the lane was loaded with may be old by a whole run. */
async function noteHealth(
  tx: Tx,
  { deps, connection, sealer }: RunContext,
  run: Parameters<typeof healthAfterRun>[1],
): Promise<void> {
  const { workspaceId, connectionId } = connection.owner;
  const row = await lockConnection(tx, workspaceId, connectionId);
  if (row.status !== "active") return;
  const { failedRuns, ...change } = healthAfterRun(row, run);
  await changeHealth(tx, { ...deps, sealer }, { workspaceId, connectionId, ...change, facts: { failedRuns } });
}

/** A first import catches up at once with what changed while it ran. */
async function planNext(
  tx: Tx,
  { deps, connection, row }: RunContext,
  status: RunRow["status"],
  now: Date,
): Promise<void> {
  const { workspaceId, connectionId } = connection.owner;
  const catchesUp = row.kind === "initial" && status === "completed";
  const nextRunAt = catchesUp ? now : new Date(now.getTime() + deps.runIntervalMs);
  const synced = status === "completed" || status === "partial";
  await tx
    .update(connections)
    .set({ nextRunAt, ...(synced ? { lastSyncedAt: now } : {}), updatedAt: now })
    .where(
      and(eq(connections.workspaceId, workspaceId), eq(connections.id, connectionId), eq(connections.status, "active")),
    );
}
