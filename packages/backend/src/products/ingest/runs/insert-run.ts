import type { ModelName, Run, RunId } from "@patchbay/shared";
import { and, eq, inArray } from "drizzle-orm";
import type { Tx } from "../../../platform/db/index.ts";
import { newId } from "../../../platform/runtime/index.ts";
import { runs } from "../tables.ts";
import type { LaneOwner } from "../tasks.ts";
import { waitingModels } from "./run-state.ts";

/** Makes a run unless one is open: a connection has one at a time. The caller puts its item into the lane. */
export async function insertRun(
  tx: Tx,
  owner: LaneOwner,
  input: {
    readonly kind: Run["kind"];
    readonly mode: "incremental" | "full";
    readonly models: readonly ModelName[];
    readonly now: Date;
  },
): Promise<{ readonly runId: RunId; readonly alreadyQueued: boolean }> {
  const { workspaceId, tenantUid, connectionId } = owner;
  const { kind, mode, models, now } = input;
  const id = newId<RunId>();
  const row = { workspaceId, id, tenantUid, connectionId, kind, mode, status: "queued" as const };
  const inserted = await tx
    .insert(runs)
    .values({ ...row, models: waitingModels(models), createdAt: now })
    .onConflictDoNothing()
    .returning({ id: runs.id });
  if (inserted.length > 0) return { runId: id, alreadyQueued: false };
  const [open] = await tx
    .select({ id: runs.id })
    .from(runs)
    .where(
      and(
        eq(runs.workspaceId, workspaceId),
        eq(runs.connectionId, connectionId),
        inArray(runs.status, ["queued", "running"]),
      ),
    );
  // The open run ended between the two statements: there is room now.
  return open === undefined ? insertRun(tx, owner, input) : { runId: open.id, alreadyQueued: true };
}
