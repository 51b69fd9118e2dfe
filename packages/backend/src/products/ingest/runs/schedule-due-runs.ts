import type { WorkspaceId } from "@patchbay/shared";
import { and, eq, inArray, lte, min } from "drizzle-orm";
import { connections, type ConnectionRow } from "../../../domain/connections/index.ts";
import type { Tx } from "../../../platform/db/index.ts";
import { enqueue } from "../../../platform/lanes/index.ts";
import type { IngestDeps } from "../deps.ts";
import { dirtyMarks } from "../tables.ts";
import { fetchItem, type LaneOwner, lockLanes, runItem } from "../tasks.ts";
import { insertRun } from "./insert-run.ts";

/** Connections of one sweep; the next one takes the rest. */
const CONNECTIONS_MAX = 200;

/**
 * Queues the runs that are due in a workspace, and wakes fetches that paused while their connection could not be read.
 * Two sweeps at once queue nothing twice.
 *
 * @returns how many runs
 */
export async function scheduleDueRuns(
  deps: Pick<IngestDeps, "worker" | "clock" | "wake" | "runIntervalMs">,
  workspaceId: WorkspaceId,
): Promise<number> {
  const now = deps.clock.now();
  const due = and(
    eq(connections.workspaceId, workspaceId),
    eq(connections.status, "active"),
    lte(connections.nextRunAt, now),
  );
  const queued = await deps.worker.withWorkspace(workspaceId, async (tx) => {
    const seen = await tx.select().from(connections).where(due).orderBy(connections.nextRunAt).limit(CONNECTIONS_MAX);
    if (seen.length === 0) return 0;
    // Lanes before connections, as whoever ends a run.
    await lockLanes(tx, seen.map(ownerOf));
    const ids = seen.map((row) => row.id);
    const rows = await tx
      .update(connections)
      .set({ nextRunAt: new Date(now.getTime() + deps.runIntervalMs) })
      .where(and(due, inArray(connections.id, ids)))
      .returning();
    const items = (await withMarks(tx, workspaceId, rows)).map((row) => fetchItem(ownerOf(row), now));
    let count = 0;
    for (const row of rows) {
      // What was never read completely is a first import, of which the host is not told record by record.
      const kind = row.lastSyncedAt === null ? "initial" : "incremental";
      const mode = kind === "initial" ? "full" : "incremental";
      const run = await insertRun(tx, ownerOf(row), { kind, mode, models: row.models, now });
      if (run.alreadyQueued) continue;
      items.push(runItem(ownerOf(row), run.runId, now));
      count++;
    }
    await enqueue(tx, items);
    return count;
  });
  if (queued > 0) deps.wake.poke("lanes:connection");
  return queued;
}

/** When the next run of a workspace falls due. */
export async function nextDueRun(tx: Tx, workspaceId: WorkspaceId): Promise<Date | null> {
  const [row] = await tx
    .select({ at: min(connections.nextRunAt) })
    .from(connections)
    .where(and(eq(connections.workspaceId, workspaceId), eq(connections.status, "active")));
  return row?.at ?? null;
}

async function withMarks(
  tx: Tx,
  workspaceId: WorkspaceId,
  rows: readonly ConnectionRow[],
): Promise<readonly ConnectionRow[]> {
  const ids = rows.map((row) => row.id);
  const marked = await tx
    .selectDistinct({ id: dirtyMarks.connectionId })
    .from(dirtyMarks)
    .where(and(eq(dirtyMarks.workspaceId, workspaceId), inArray(dirtyMarks.connectionId, ids)));
  return rows.filter((row) => marked.some(({ id }) => id === row.id));
}

function ownerOf(row: ConnectionRow): LaneOwner {
  return { workspaceId: row.workspaceId, tenantUid: row.tenantUid, connectionId: row.id };
}
