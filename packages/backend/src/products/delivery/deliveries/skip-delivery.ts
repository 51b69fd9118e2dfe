import { AppError, type Delivery, type DeliveryId, type WorkspaceId } from "@patchbay/shared";
import { and, eq } from "drizzle-orm";
import { tenantExternalId } from "../../../domain/workspaces/index.ts";
import { submit } from "../../../platform/lanes/index.ts";
import type { DeliveryDeps } from "../deps.ts";
import { takeWaiting } from "../order.ts";
import { deliveries } from "../tables.ts";
import { toApiDelivery } from "../to-api.ts";
import { findDelivery } from "./find-delivery.ts";

/**
 * Gives up a dead letter: it is one no more, and where its record's events keep an order, the later ones go on. A second
 * call changes nothing; a retry or a replay sends it after all.
 *
 * @throws AppError `delivery_not_found`, `conflict` when it is no dead letter
 */
export async function skipDelivery(
  deps: Pick<DeliveryDeps, "app" | "clock" | "wake">,
  input: { readonly workspaceId: WorkspaceId; readonly deliveryId: DeliveryId },
): Promise<Delivery> {
  const { workspaceId, deliveryId } = input;
  const now = deps.clock.now();
  const skipped = await deps.app.withWorkspace(workspaceId, async (tx) => {
    const row = await findDelivery(tx, input, "update");
    const tenantId = await tenantExternalId(tx, { workspaceId, uid: row.tenantUid });
    if (row.status === "skipped") return toApiDelivery(row, tenantId);
    if (row.status !== "failed") {
      throw new AppError("conflict", `only a dead letter can be skipped, and this delivery is ${row.status}`);
    }
    const changes = { status: "skipped", nextAttemptAt: null, finishedAt: now } as const;
    await tx
      .update(deliveries)
      .set(changes)
      .where(and(eq(deliveries.workspaceId, workspaceId), eq(deliveries.id, deliveryId)));
    if (row.orderKey !== null) {
      await submit(tx, await takeWaiting(tx, { workspaceId, id: row.endpointId }, row.orderKey, now));
    }
    return toApiDelivery({ ...row, ...changes }, tenantId);
  });
  deps.wake.poke("lanes:delivery");
  return skipped;
}
