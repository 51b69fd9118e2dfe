import type { DeliveryId, EndpointId } from "@patchbay/shared";
import { and, eq, inArray } from "drizzle-orm";
import type { RoleDatabase, Tx } from "../../platform/db/index.ts";
import type { ClaimedLane } from "../../platform/lanes/index.ts";
import type { Clock } from "../../platform/runtime/index.ts";
import { deleteDeliveries } from "./delete-deliveries.ts";
import { gate } from "./endpoint-health.ts";
import { findEndpoint } from "./find-endpoints.ts";
import { deliveries } from "./tables.ts";

interface Deps {
  /** As `patchbay_worker`. */
  readonly worker: RoleDatabase;
}

/**
 * Ends the items of deliveries that need no attempt: delivered, dead or held already, or gone. Looks again under a
 * lock: one that became pending meanwhile keeps its item.
 */
export async function settleStale(deps: Deps, lane: ClaimedLane, ids: readonly DeliveryId[]): Promise<void> {
  if (ids.length === 0) return;
  await deps.worker.withWorkspace(lane.key.workspaceId, async (tx) => {
    const pending = new Set(await lockPending(tx, lane, ids));
    await lane.settle(tx, done(ids.filter((id) => !pending.has(id))));
  });
}

/** Holds the deliveries of a disabled endpoint; drops those of a deleted one. */
export async function holdOrDrop(deps: Deps, lane: ClaimedLane, ids: readonly DeliveryId[]): Promise<void> {
  const { workspaceId, laneId } = lane.key;
  await deps.worker.withWorkspace(workspaceId, async (tx) => {
    const endpoint = await findEndpoint(tx, workspaceId, laneId as EndpointId, "share");
    // Enabled again a moment ago: the items stay, and come again soon.
    if (endpoint?.status === "enabled") return;
    const pending = await lockPending(tx, lane, ids);
    const these = and(eq(deliveries.workspaceId, workspaceId), inArray(deliveries.id, pending));
    if (endpoint === null) await deleteDeliveries(tx, workspaceId, pending);
    if (pending.length > 0 && endpoint !== null) {
      await tx.update(deliveries).set({ status: "held", nextAttemptAt: null }).where(these);
    }
    await lane.settle(tx, done(ids));
  });
}

/** Drops a delivery whose event cannot be read any more, since its tenant was erased. */
export async function dropUnreadable(deps: Deps, lane: ClaimedLane, id: DeliveryId): Promise<void> {
  const { workspaceId } = lane.key;
  await deps.worker.withWorkspace(workspaceId, async (tx) => {
    await deleteDeliveries(tx, workspaceId, [id]);
    await lane.settle(tx, done([id]));
  });
}

/** Lets the whole lane rest while its endpoint is left alone: one row, however many deliveries wait in it. */
export async function rest(deps: Deps & { readonly clock: Clock }, lane: ClaimedLane): Promise<void> {
  const { workspaceId, laneId } = lane.key;
  await deps.worker.withWorkspace(workspaceId, async (tx) => {
    // Shared: whoever lets the endpoint be tried again waits, and then ends the rest.
    const endpoint = await findEndpoint(tx, workspaceId, laneId as EndpointId, "share");
    const state = endpoint === null ? null : gate(endpoint, deps.clock.now());
    if (state?.kind === "open") await lane.rest(tx, state.until);
  });
}

/** Leaves the lane as it was claimed, to come again as soon as anybody may take it. */
export async function restNow(deps: Deps & { readonly clock: Clock }, lane: ClaimedLane): Promise<void> {
  await deps.worker.withQueue((tx) => lane.rest(tx, deps.clock.now()));
}

async function lockPending(tx: Tx, lane: ClaimedLane, ids: readonly DeliveryId[]): Promise<DeliveryId[]> {
  const rows = await tx
    .select({ id: deliveries.id, status: deliveries.status })
    .from(deliveries)
    .where(and(eq(deliveries.workspaceId, lane.key.workspaceId), inArray(deliveries.id, [...ids])))
    .orderBy(deliveries.id)
    .for("update");
  return rows.filter((row) => row.status === "pending").map((row) => row.id);
}

const done = (ids: readonly DeliveryId[]) => ids.map((id) => ({ id, outcome: "done" as const }));
