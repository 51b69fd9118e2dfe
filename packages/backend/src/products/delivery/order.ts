import type { RecordId } from "@patchbay/shared";
import { and, asc, eq, inArray, lt, notInArray } from "drizzle-orm";
import type { RoleDatabase, Tx } from "../../platform/db/index.ts";
import { enqueue, type ClaimedLane, type NewItem } from "../../platform/lanes/index.ts";
import type { EndpointRow } from "./find-endpoints.ts";
import type { LoadedDelivery } from "./load-lane-work.ts";
import { deliveries } from "./tables.ts";

/** Deliveries that one arrival lets go on; the last of them lets go the next. */
const RELEASED_MAX = 100;

/** What a delivery must keep its place in; `null`: nothing. */
export function orderKeyOf(
  endpoint: Pick<EndpointRow, "deliveryOrder">,
  event: { readonly recordId: RecordId | null },
): RecordId | null {
  return endpoint.deliveryOrder === "perRecord" ? event.recordId : null;
}

/**
 * Lets a delivery wait, out of its lane, while an earlier one of its record has not arrived. All of a record's are in
 * one lane, so that nothing of it arrives meanwhile.
 *
 * @returns whether it waits
 * @throws LeaseLost
 */
export async function parkBehindEarlier(
  deps: { readonly worker: RoleDatabase },
  lane: ClaimedLane,
  endpoint: EndpointRow,
  delivery: LoadedDelivery,
): Promise<boolean> {
  const { orderKey, position } = delivery;
  if (endpoint.deliveryOrder === "none" || orderKey === null || position === null) return false;
  return deps.worker.withWorkspace(endpoint.workspaceId, async (tx) => {
    const [earlier] = await tx
      .select({ id: deliveries.id })
      .from(deliveries)
      .where(and(ofRecord(endpoint, orderKey), lt(deliveries.position, position)))
      .limit(1)
      // Who skips it waits until this one is `waiting`, and then lets it go on.
      .for("share");
    if (earlier === undefined) return false;
    await tx
      .update(deliveries)
      .set({ status: "waiting", nextAttemptAt: null })
      .where(
        and(
          eq(deliveries.workspaceId, endpoint.workspaceId),
          eq(deliveries.id, delivery.id),
          eq(deliveries.status, "pending"),
        ),
      );
    await lane.settle(tx, [{ id: delivery.id, outcome: "done" }]);
    return true;
  });
}

/** Lets go on what waited for a delivery that arrived. @returns how to put it into its lane, once the item is settled */
export async function releaseLater(
  tx: Tx,
  endpoint: Pick<EndpointRow, "workspaceId" | "id">,
  orderKey: RecordId | null,
  now: Date,
): Promise<() => Promise<void>> {
  if (orderKey === null) return async () => {};
  const items = await takeWaiting(tx, endpoint, orderKey, now);
  return () => enqueue(tx, items);
}

/** Makes pending what waits for an earlier delivery of the record. @returns what is to be put into its lane */
export async function takeWaiting(
  tx: Tx,
  endpoint: Pick<EndpointRow, "workspaceId" | "id">,
  orderKey: RecordId,
  now: Date,
): Promise<readonly NewItem[]> {
  const { workspaceId } = endpoint;
  const waiting = await tx
    .select({ id: deliveries.id, tenantUid: deliveries.tenantUid })
    .from(deliveries)
    .where(and(ofRecord(endpoint, orderKey), eq(deliveries.status, "waiting")))
    .orderBy(asc(deliveries.position))
    .limit(RELEASED_MAX)
    .for("update");
  const ids = waiting.map(({ id }) => id);
  await tx
    .update(deliveries)
    .set({ status: "pending", nextAttemptAt: now })
    .where(and(eq(deliveries.workspaceId, workspaceId), inArray(deliveries.id, ids)));
  return waiting.map(({ id, tenantUid }) => ({
    kind: "delivery",
    workspaceId,
    tenantUid,
    laneId: endpoint.id,
    id,
    task: "deliver",
    runAt: now,
  }));
}

function ofRecord(endpoint: Pick<EndpointRow, "workspaceId" | "id">, orderKey: RecordId) {
  return and(
    eq(deliveries.workspaceId, endpoint.workspaceId),
    eq(deliveries.endpointId, endpoint.id),
    eq(deliveries.orderKey, orderKey),
    // The partial index holds none that was delivered.
    notInArray(deliveries.status, ["delivered", "skipped"]),
  );
}
