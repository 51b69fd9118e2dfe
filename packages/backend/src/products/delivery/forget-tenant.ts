import type { TenantUid, WorkspaceId } from "@patchbay/shared";
import { and, eq, inArray, sql } from "drizzle-orm";
import { events } from "../../domain/events/index.ts";
import { countOf, sumRows, type ForgetTenant, type Tx } from "../../platform/db/index.ts";
import { deleteDeliveries } from "./delete-deliveries.ts";
import { lockHead } from "./sequence-batch.ts";
import { attempts, deliveries, deliveryReplays, endpoints } from "./tables.ts";

/**
 * Removes an erased tenant's events, with their deliveries and what was tried for them. Their positions are not given
 * again: feeds go on over the gap.
 */
export const forgetTenantEvents: ForgetTenant = async (tx, { workspaceId, tenantUid }, limit) => {
  await leaveFilters(tx, workspaceId, tenantUid);
  const ofTenant = and(eq(deliveryReplays.workspaceId, workspaceId), eq(deliveryReplays.ofTenantUid, tenantUid));
  await tx.delete(deliveryReplays).where(ofTenant);
  const own = and(eq(events.workspaceId, workspaceId), eq(events.tenantUid, tenantUid));
  const [any] = await tx.select({ id: events.id }).from(events).where(own).limit(1);
  if (any === undefined) return {};
  // A sequencer that holds these events makes deliveries of them.
  await lockHead(tx, workspaceId);
  const batch = await tx.select({ id: events.id }).from(events).where(own).limit(limit);
  const eventIds = batch.map((row) => row.id);
  const told = await tx
    .select({ id: deliveries.id })
    .from(deliveries)
    .where(and(eq(deliveries.workspaceId, workspaceId), inArray(deliveries.eventId, eventIds)))
    .orderBy(deliveries.id)
    .for("update");
  const gone = await deleteDeliveries(
    tx,
    workspaceId,
    told.map((row) => row.id),
  );
  await tx.delete(events).where(and(eq(events.workspaceId, workspaceId), inArray(events.id, eventIds)));
  return sumRows(
    countOf(attempts, gone.attempts),
    countOf(deliveries, gone.deliveries),
    countOf(events, eventIds.length),
  );
};

/** An endpoint that was for this tenant alone keeps an empty filter: it gets nothing, not everything. */
async function leaveFilters(tx: Tx, workspaceId: WorkspaceId, tenantUid: TenantUid): Promise<void> {
  await tx
    .update(endpoints)
    .set({ tenantUids: sql`array_remove(${endpoints.tenantUids}, ${tenantUid}::uuid)` })
    .where(and(eq(endpoints.workspaceId, workspaceId), sql`${tenantUid}::uuid = any(${endpoints.tenantUids})`));
}
