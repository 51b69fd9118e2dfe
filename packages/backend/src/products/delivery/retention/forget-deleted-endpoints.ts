import type { EndpointId, WorkspaceId } from "@patchbay/shared";
import { and, asc, eq, lt } from "drizzle-orm";
import type { Tx } from "../../../platform/db/index.ts";
import { deleteDeliveries } from "../delete-deliveries.ts";
import { deliveries, deliveryReplays, endpoints, endpointSecrets } from "../tables.ts";
import type { PruneDeps } from "./prune-history.ts";

interface Input {
  readonly workspaceId: WorkspaceId;
  readonly deletedBefore: Date;
}

/** Endpoints of one call, and deliveries of one transaction. */
const ENDPOINTS_MAX = 100;
const BATCH_MAX = 1_000;
const BATCHES_MAX = 1_000;

/** Removes endpoints that were deleted long ago, with everything of theirs. @returns how many deliveries and endpoints */
export async function forgetDeletedEndpoints(
  deps: Pick<PruneDeps, "worker">,
  { workspaceId, deletedBefore }: Input,
): Promise<number> {
  const rows = await deps.worker.withWorkspace(workspaceId, (tx) =>
    tx
      .select({ id: endpoints.id })
      .from(endpoints)
      .where(and(eq(endpoints.workspaceId, workspaceId), lt(endpoints.deletedAt, deletedBefore)))
      .limit(ENDPOINTS_MAX),
  );
  let removed = 0;
  for (const { id } of rows) {
    for (let batch = 0; batch < BATCHES_MAX; batch++) {
      const done = await deps.worker.withWorkspace(workspaceId, (tx) => forgetBatch(tx, workspaceId, id));
      removed += done.removed;
      if (done.end) break;
    }
  }
  return removed;
}

async function forgetBatch(
  tx: Tx,
  workspaceId: WorkspaceId,
  endpointId: EndpointId,
): Promise<{ readonly removed: number; readonly end: boolean }> {
  const batch = await tx
    .select({ id: deliveries.id })
    .from(deliveries)
    .where(and(eq(deliveries.workspaceId, workspaceId), eq(deliveries.endpointId, endpointId)))
    .orderBy(asc(deliveries.id))
    .limit(BATCH_MAX)
    .for("update");
  await deleteDeliveries(
    tx,
    workspaceId,
    batch.map((row) => row.id),
  );
  if (batch.length === BATCH_MAX) return { removed: batch.length, end: false };
  for (const table of [deliveryReplays, endpointSecrets]) {
    await tx.delete(table).where(and(eq(table.workspaceId, workspaceId), eq(table.endpointId, endpointId)));
  }
  await tx.delete(endpoints).where(and(eq(endpoints.workspaceId, workspaceId), eq(endpoints.id, endpointId)));
  return { removed: batch.length + 1, end: true };
}
