import type { DeliveryId, EndpointId, TenantUid, WorkspaceId } from "@patchbay/shared";
import { and, asc, eq, inArray } from "drizzle-orm";
import { isOneOf, type Tx } from "../../platform/db/index.ts";
import { endRest, enqueue, submit, type ClaimedLane } from "../../platform/lanes/index.ts";
import { NIL_TENANT, type DeliveryDeps } from "./deps.ts";
import { deleteDeliveries } from "./delete-deliveries.ts";
import { findEndpoint, type EndpointRow } from "./find-endpoints.ts";
import { deliveries } from "./tables.ts";

/** The task that makes an endpoint's open deliveries agree with it. Its item's id is the endpoint's. */
export const ALIGN_TASK = "align";
/** Deliveries changed in one transaction. */
const DELIVERIES_MAX = 500;

/** Has the endpoint's lanes and open deliveries aligned soon. From any role; poke `lanes:delivery` after the commit. */
export async function submitAlign(
  tx: Tx,
  input: { readonly workspaceId: WorkspaceId; readonly endpointId: EndpointId; readonly now: Date },
): Promise<void> {
  const { workspaceId, endpointId, now } = input;
  await submit(tx, [
    {
      kind: "delivery",
      workspaceId,
      tenantUid: NIL_TENANT,
      laneId: endpointId,
      id: endpointId,
      task: ALIGN_TASK,
      runAt: now,
      urgent: true,
    },
  ]);
}

/**
 * After an endpoint was enabled, disabled, deleted, or may be tried again: its lanes rest no more; its held deliveries
 * become pending, its pending ones held, or both go. One bounded batch at a time, in the transaction that settles the
 * item.
 */
export async function alignDeliveries(deps: DeliveryDeps, lane: ClaimedLane, itemId: string): Promise<void> {
  const { workspaceId } = lane.key;
  const endpointId = lane.key.laneId as EndpointId;
  const now = deps.clock.now();
  for (const kind of ["delivery", "deliveryReplay"] as const) {
    await deps.worker.withQueue((tx) => endRest(tx, { kind, workspaceId, laneId: endpointId }, now));
  }
  await deps.worker.withWorkspace(workspaceId, async (tx) => {
    // Shared: whoever enables it next waits, and then has them aligned again.
    const endpoint = await findEndpoint(tx, workspaceId, endpointId, "share");
    const from = endpoint === null ? (["pending", "held", "waiting"] as const) : misfits(endpoint);
    const fits = and(
      eq(deliveries.workspaceId, workspaceId),
      eq(deliveries.endpointId, endpointId),
      inArray(deliveries.status, [...from]),
    );
    const first = await tx
      .select({ id: deliveries.id })
      .from(deliveries)
      .where(fits)
      .orderBy(asc(deliveries.position), asc(deliveries.id))
      .limit(DELIVERIES_MAX);
    const firstIds = first.map(({ id }) => id);
    // Locked by id, as by those who write down attempts.
    const rows = await tx
      .select({ id: deliveries.id, tenantUid: deliveries.tenantUid })
      .from(deliveries)
      .where(and(fits, isOneOf(deliveries.id, firstIds)))
      .orderBy(asc(deliveries.id))
      .for("update");
    const ids = rows.map((row) => row.id);
    const these = and(eq(deliveries.workspaceId, workspaceId), inArray(deliveries.id, ids));
    if (endpoint === null) await deleteDeliveries(tx, workspaceId, ids);
    else if (ids.length > 0) await change(tx, these, endpoint.status, now);
    await lane.settle(tx, [{ id: itemId, outcome: first.length < DELIVERIES_MAX ? "done" : { at: now } }]);
    if (endpoint?.status === "enabled")
      await enqueue(
        tx,
        rows.map((row) => toItem(workspaceId, endpointId, row, now)),
      );
  });
  deps.wake.poke("lanes:delivery");
}

/** Which deliveries do not fit an endpoint. */
function misfits({ status, deliveryOrder }: EndpointRow): readonly ("pending" | "held" | "waiting")[] {
  if (status === "disabled") return ["pending"];
  return deliveryOrder === "none" ? ["held", "waiting"] : ["held"];
}

async function change(tx: Tx, these: ReturnType<typeof and>, status: "enabled" | "disabled", now: Date): Promise<void> {
  switch (status) {
    case "enabled":
      await tx.update(deliveries).set({ status: "pending", nextAttemptAt: now }).where(these);
      return;
    case "disabled":
      await tx.update(deliveries).set({ status: "held", nextAttemptAt: null }).where(these);
  }
}

function toItem(
  workspaceId: WorkspaceId,
  laneId: EndpointId,
  row: { readonly id: DeliveryId; readonly tenantUid: TenantUid },
  runAt: Date,
) {
  return {
    kind: "delivery",
    workspaceId,
    tenantUid: row.tenantUid,
    laneId,
    id: row.id,
    task: "deliver",
    runAt,
  } as const;
}
