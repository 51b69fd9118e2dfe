import type { RunId } from "@patchbay/shared";
import { and, eq } from "drizzle-orm";
import type { ProviderFault } from "../../../connectors/kit/index.ts";
import type { Sealer } from "../../../domain/vault/index.ts";
import type { Tx } from "../../../platform/db/index.ts";
import type { ClaimedLane, LaneItem } from "../../../platform/lanes/index.ts";
import type { IngestDeps } from "../deps.ts";
import type { LaneConnection } from "../lane-connection.ts";
import type { Call } from "../read-items.ts";
import { runs } from "../tables.ts";
import type { RunState } from "./run-state.ts";
import type { RunRow } from "./to-run.ts";

export type RunDeps = Pick<IngestDeps, "worker" | "vault" | "client" | "clock" | "wake" | "log" | "runIntervalMs">;

/** A run in the hands of a worker. `row` and `state` follow what is committed. */
export interface RunContext {
  readonly deps: RunDeps;
  readonly lane: ClaimedLane;
  readonly item: LaneItem;
  readonly connection: LaneConnection;
  readonly sealer: Sealer;
  readonly call: Call;
  readonly row: RunRow;
  readonly state: RunState;
}

/** What one step came to. `failed`: the call gave nothing; the state is as it was. */
export type Step =
  | { readonly kind: "done"; readonly context: RunContext }
  | { readonly kind: "failed"; readonly context: RunContext; readonly resource: string; readonly fault: ProviderFault };

/** Writes where the run stands, in the transaction of what was done. @returns the context that follows it */
export async function saveRun(
  tx: Tx,
  context: RunContext,
  changes: Partial<Pick<RunRow, "models" | "status" | "problem" | "startedAt" | "finishedAt">>,
  state: RunState,
): Promise<RunContext> {
  const { row } = context;
  const [after] = await tx
    .update(runs)
    .set({ ...changes, cursors: { ...state } })
    .where(isRun(row.workspaceId, row.id))
    .returning();
  if (after === undefined) throw new Error("the run was not written");
  return { ...context, row: after, state };
}

export function isRun(workspaceId: RunRow["workspaceId"], runId: RunId) {
  return and(eq(runs.workspaceId, workspaceId), eq(runs.id, runId));
}
