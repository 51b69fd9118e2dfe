import { AppError, type DeliveryId, type WorkspaceId } from "@patchbay/shared";
import { and, eq } from "drizzle-orm";
import type { Tx } from "../../../platform/db/index.ts";
import { deliveries } from "../tables.ts";

export type DeliveryRow = typeof deliveries.$inferSelect;

/** @throws AppError `delivery_not_found` */
export async function findDelivery(
  tx: Tx,
  input: { readonly workspaceId: WorkspaceId; readonly deliveryId: DeliveryId },
  lock: "update" | null = null,
): Promise<DeliveryRow> {
  const query = tx
    .select()
    .from(deliveries)
    .where(and(eq(deliveries.workspaceId, input.workspaceId), eq(deliveries.id, input.deliveryId)));
  const [row] = lock === null ? await query : await query.for(lock);
  if (row === undefined) throw new AppError("delivery_not_found", "no such delivery in this workspace");
  return row;
}
