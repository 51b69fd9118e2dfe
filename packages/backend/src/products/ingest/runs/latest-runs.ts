import { encodeId, type ConnectionId, type ConnectionRun, type WorkspaceId } from "@patchbay/shared";
import { and, desc, eq, inArray } from "drizzle-orm";
import type { Tx } from "../../../platform/db/index.ts";
import { runs } from "../tables.ts";
import { progressOf } from "./progress-of.ts";

/** The newest run of each connection, as people see it: how far it is. */
export async function latestRuns(
  tx: Tx,
  workspaceId: WorkspaceId,
  connectionIds: readonly ConnectionId[],
): Promise<ReadonlyMap<ConnectionId, ConnectionRun>> {
  if (connectionIds.length === 0) return new Map();
  const rows = await tx
    .selectDistinctOn([runs.connectionId])
    .from(runs)
    .where(and(eq(runs.workspaceId, workspaceId), inArray(runs.connectionId, [...connectionIds])))
    .orderBy(runs.connectionId, desc(runs.createdAt));
  return new Map(rows.map((row) => [row.connectionId, toProgress(row)]));
}

function toProgress(row: typeof runs.$inferSelect): ConnectionRun {
  return { id: encodeId("run", row.id), kind: row.kind, status: row.status, ...progressOf(row) };
}
