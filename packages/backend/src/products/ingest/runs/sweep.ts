import { and, asc, eq, gt, lt } from "drizzle-orm";
import type { Resource } from "../../../connectors/kit/index.ts";
import { records } from "../../../domain/records/index.ts";
import { applyRead } from "../apply-read.ts";
import { fetchChunk } from "../fetcher/fetch-chunk.ts";
import { advanceCursor, markAgain } from "./read-page.ts";
import { countPage, withResource } from "./resource-progress.ts";
import { saveRun, type RunContext, type Step } from "./run-context.ts";
import type { ResourceState } from "./run-state.ts";

/**
 * Looks again at some records that the listing did not show: absent ones become tombstones, others were only missed.
 * No record is given up without such a read.
 */
export async function sweepChunk(context: RunContext, name: string): Promise<Step> {
  const resource = context.connection.connector.resources[name];
  const state = context.state.resources[name];
  if (!resource?.batchRead || !state) throw new Error(`resource ${name} cannot be swept`);
  const missed = await missedRecords(context, resource, state, resource.batchRead.maxIds);
  const last = missed.at(-1);
  if (last === undefined) return { kind: "done", context: await endSweep(context, resource) };
  const remoteIds = missed.map((record) => record.remoteId);
  const chunk = await fetchChunk(context.call, context.connection, resource, remoteIds);
  if (!chunk.ok) return { kind: "failed", context, resource: name, fault: chunk.fault };
  const { deps, lane, connection, row, sealer } = context;
  let after = context;
  await applyRead(
    deps,
    lane,
    connection,
    chunk,
    // What is looked at here was stored before, so the host may know it.
    { announce: true, runId: row.id, sealer },
    async (tx, applied) => {
      await markAgain(tx, context, applied);
      const models = countPage(context, name, { ...applied, ...chunk, status: "running" });
      after = await saveRun(tx, context, { models }, withResource(context.state, name, { sweptTo: last.id }));
    },
  );
  return { kind: "done", context: after };
}

function missedRecords({ deps, connection }: RunContext, resource: Resource, state: ResourceState, limit: number) {
  const { workspaceId, connectionId } = connection.owner;
  if (state.startedAt === null) throw new Error("a sweep before its listing");
  const startedAt = new Date(state.startedAt);
  return deps.worker.withWorkspace(workspaceId, (tx) =>
    tx
      .select({ id: records.id, remoteId: records.remoteId })
      .from(records)
      .where(
        and(
          eq(records.workspaceId, workspaceId),
          eq(records.connectionId, connectionId),
          eq(records.model, resource.model),
          eq(records.deleted, false),
          lt(records.lastSeenAt, startedAt),
          state.sweptTo === null ? undefined : gt(records.id, state.sweptTo as typeof records.$inferSelect.id),
        ),
      )
      .orderBy(asc(records.id))
      .limit(limit),
  );
}

async function endSweep(context: RunContext, resource: Resource): Promise<RunContext> {
  const { deps, lane, row } = context;
  return deps.worker.withWorkspace(row.workspaceId, async (tx) => {
    await lane.fence(tx);
    const nothing = { counts: new Map(), rejected: [], status: "completed" as const };
    const models = countPage(context, resource.name, nothing);
    const after = await saveRun(tx, context, { models }, withResource(context.state, resource.name, { phase: "done" }));
    await advanceCursor(tx, after, resource.name);
    return after;
  });
}
