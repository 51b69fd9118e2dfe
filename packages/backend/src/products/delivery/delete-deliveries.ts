import type { DeliveryId, WorkspaceId } from "@patchbay/shared";
import { and, eq, sql } from "drizzle-orm";
import { arrayParam, type Tx } from "../../platform/db/index.ts";
import { attempts, deliveries } from "./tables.ts";

/** Deletes deliveries with what was tried for them. @returns how many of each */
export async function deleteDeliveries(
  tx: Tx,
  workspaceId: WorkspaceId,
  ids: readonly DeliveryId[],
): Promise<{ readonly deliveries: number; readonly attempts: number }> {
  if (ids.length === 0) return { deliveries: 0, attempts: 0 };
  // As one parameter: events of a batch may have gone to any number of endpoints.
  const these = sql`any(${arrayParam(ids, "uuid")})`;
  const tried = await tx
    .delete(attempts)
    .where(and(eq(attempts.workspaceId, workspaceId), sql`${attempts.deliveryId} = ${these}`))
    .returning({ id: attempts.id });
  const gone = await tx
    .delete(deliveries)
    .where(and(eq(deliveries.workspaceId, workspaceId), sql`${deliveries.id} = ${these}`))
    .returning({ id: deliveries.id });
  return { deliveries: gone.length, attempts: tried.length };
}
