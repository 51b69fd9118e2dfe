import { encodeId, type Run } from "@patchbay/shared";
import type { runs } from "../tables.ts";

export type RunRow = typeof runs.$inferSelect;

/** The public form of a run. */
export function toRun(row: RunRow, tenantExternalId: string): Run {
  return {
    id: encodeId("run", row.id),
    connectionId: encodeId("conn", row.connectionId),
    tenantId: tenantExternalId,
    kind: row.kind,
    status: row.status,
    models: row.models,
    createdAt: row.createdAt.toISOString(),
    startedAt: row.startedAt?.toISOString() ?? null,
    finishedAt: row.finishedAt?.toISOString() ?? null,
    problem: row.problem,
  };
}
