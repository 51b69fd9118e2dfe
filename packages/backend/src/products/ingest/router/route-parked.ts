import type { InboxId } from "@patchbay/shared";
import { sql } from "drizzle-orm";
import { arrayParam } from "../../../platform/db/index.ts";
import type { ClaimedLane, LaneItem } from "../../../platform/lanes/index.ts";
import { instantOfId } from "../../../platform/runtime/index.ts";
import type { LaneConnection } from "../lane-connection.ts";
import type { ArrivalRef } from "./read-arrivals.ts";
import { routeBatch, type RouteDeps } from "./route-batch.ts";
import { waitForParking } from "./parking.ts";
import { waitersOf } from "./waiting-for.ts";

/** Parked deliveries taken up at once; then the lane's other work has its turn. */
const PAGE_MAX = 200;

/**
 * Routes what waited in the inbox for this connection to appear, oldest first. One page a time: the item comes again
 * while there may be more. Killed in between, what was routed no longer waits.
 */
export async function routeParked(
  deps: RouteDeps,
  lane: ClaimedLane,
  item: LaneItem,
  connection: LaneConnection,
): Promise<void> {
  const { workspaceId } = connection.owner;
  const refs = connection.row.status === "active" ? await findParked(deps, connection) : [];
  if (refs.length === 0) {
    return deps.worker.withWorkspace(workspaceId, (tx) => lane.settle(tx, [{ id: item.id, outcome: "done" }]));
  }
  await routeBatch(deps, workspaceId, refs, {
    again: { copiesToo: false },
    hold: async (tx) => {
      await lane.fence(tx);
      return new Set(refs.map((ref) => ref.id));
    },
    end: async (tx, held, { plan }) => {
      const moved = new Set(plan.outcomes.filter((each) => each.waitsFor === null).map((each) => each.inboxId)).size;
      // What goes on waiting would be found again for ever.
      const outcome = refs.length < PAGE_MAX || moved === 0 ? "done" : { at: deps.clock.now() };
      await lane.settle(tx, [{ id: item.id, outcome }]);
      deps.log.info({ ...connection.lane, parked: held.size, moved }, "parked deliveries routed");
    },
  });
}

function findParked(deps: RouteDeps, { owner, row }: LaneConnection): Promise<readonly ArrivalRef[]> {
  const waiters = waitersOf(row).map((each) => each.toString("hex"));
  return deps.worker.withWorkspace(owner.workspaceId, async (tx) => {
    await waitForParking(tx, owner.workspaceId);
    const rows = await tx.execute<{ inbox_id: InboxId }>(sql`
      select distinct inbox_id from inbox_outcomes
      where workspace_id = ${owner.workspaceId} and status = 'unrouted'
        and waits_for = any(array(select decode(each, 'hex') from unnest(${arrayParam(waiters, "text")}) as each))
      order by inbox_id limit ${PAGE_MAX}`);
    return [...rows].map((each) => ({ id: each.inbox_id, receivedAt: instantOfId(each.inbox_id) }));
  });
}
