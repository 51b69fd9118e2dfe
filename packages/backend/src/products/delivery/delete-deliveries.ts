import type { DeliveryId, WorkspaceId } from "@patchbay/shared";
import { and, eq, inArray } from "drizzle-orm";
import type { Tx } from "../../platform/db/index.ts";
import { attempts, deliveries } from "./tables.ts";

/** Deletes deliveries with what was tried for them. @returns how many of each */
export async function deleteDeliveries(
  tx: Tx,
  workspaceId: WorkspaceId,
  ids: readonly DeliveryId[],
): Promise<{ readonly deliveries: number; readonly attempts: number }> {
  if (ids.length === 0) return { deliveries: 0, attempts: 0 };
  const tried = await tx
    .delete(attempts)
    .where(and(eq(attempts.workspaceId, workspaceId), inArray(attempts.deliveryId, [...ids])))
    .returning({ id: attempts.id });
  const gone = await tx
    .delete(deliveries)
    .where(and(eq(deliveries.workspaceId, workspaceId), inArray(deliveries.id, [...ids])))
    .returning({ id: deliveries.id });
  return { deliveries: gone.length, attempts: tried.length };
}
