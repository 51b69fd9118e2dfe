import { AppError, type Delivery, type DeliveryId, type WorkspaceId } from "@patchbay/shared";
import { and, eq } from "drizzle-orm";
import { tenantExternalId } from "../../../domain/workspaces/index.ts";
import { submit } from "../../../platform/lanes/index.ts";
import type { Tx } from "../../../platform/db/index.ts";
import { submitAlign } from "../align-deliveries.ts";
import type { DeliveryDeps } from "../deps.ts";
import { findEndpoint } from "../find-endpoints.ts";
import { deliveries, endpoints } from "../tables.ts";
import { toApiDelivery } from "../to-api.ts";
import { findDelivery, type DeliveryRow } from "./find-delivery.ts";

const WAITS = "an earlier event of its record has not arrived; retry or skip that one, and this follows by itself";

/**
 * Sends an event again now, delivered or not, and begins the schedule of retries anew. Attempts keep counting.
 *
 * @throws AppError `delivery_not_found`, `conflict` when its endpoint is disabled or deleted, or it waits for an earlier one
 */
export async function retryDelivery(
  deps: Pick<DeliveryDeps, "app" | "clock" | "wake">,
  input: { readonly workspaceId: WorkspaceId; readonly deliveryId: DeliveryId },
): Promise<Delivery> {
  const { workspaceId, deliveryId } = input;
  const now = deps.clock.now();
  const retried = await deps.app.withWorkspace(workspaceId, async (tx) => {
    const found = await findDelivery(tx, input);
    await letThrough(tx, found, now);
    const row = await findDelivery(tx, input, "update");
    if (row.status === "waiting") throw new AppError("conflict", WAITS);
    const changes = {
      status: "pending",
      nextAttemptAt: now,
      finishedAt: null,
      scheduleOffset: row.attempts,
      replayId: null,
    } as const;
    await tx
      .update(deliveries)
      .set(changes)
      .where(and(eq(deliveries.workspaceId, workspaceId), eq(deliveries.id, deliveryId)));
    const { tenantUid, endpointId: laneId } = row;
    await submit(tx, [
      { kind: "delivery", workspaceId, tenantUid, laneId, id: deliveryId, task: "deliver", runAt: now },
    ]);
    const tenantId = await tenantExternalId(tx, { workspaceId, uid: tenantUid });
    return toApiDelivery({ ...row, ...changes }, tenantId);
  });
  deps.wake.poke("lanes:delivery");
  return retried;
}

/** Ends a break: somebody thinks that the endpoint is well again. Locked first, as everywhere: endpoint, delivery, lane. */
async function letThrough(tx: Tx, delivery: DeliveryRow, now: Date): Promise<void> {
  const { workspaceId, endpointId } = delivery;
  const endpoint = await findEndpoint(tx, workspaceId, endpointId, "update");
  if (endpoint === null) throw new AppError("conflict", "the endpoint of this delivery was deleted");
  if (endpoint.status === "disabled") throw new AppError("conflict", "the endpoint is disabled; enable it first");
  if (endpoint.openUntil === null || endpoint.openUntil <= now) return;
  await tx
    .update(endpoints)
    .set({ openUntil: null })
    .where(and(eq(endpoints.workspaceId, workspaceId), eq(endpoints.id, endpointId)));
  await submitAlign(tx, { workspaceId, endpointId, now });
}
