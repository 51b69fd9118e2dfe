import type { DeliveryId, DeliveryReplayId, EndpointId } from "@patchbay/shared";
import { and, count, eq, sql } from "drizzle-orm";
import { arrayParam, type Tx } from "../../../platform/db/index.ts";
import { enqueue, type ClaimedLane, type ItemOutcome } from "../../../platform/lanes/index.ts";
import { newIds } from "../../../platform/runtime/index.ts";
import type { DeliveryDeps } from "../deps.ts";
import { gate } from "../endpoint-health.ts";
import { findEndpoint, type EndpointRow } from "../find-endpoints.ts";
import { orderKeyOf } from "../order.ts";
import { deliveries, deliveryReplays } from "../tables.ts";
import type { ReplayRow } from "./read-replays.ts";
import { scanEvents, type FoundEvent } from "./scan-events.ts";

/** The task that takes a replay on. Its item's id is the replay's. */
export const REPLAY_TASK = "replay";
/** Deliveries put on their way in one transaction. */
const PAGE_MAX = 200;
/** How soon a replay looks again whose deliveries still wait, or whose endpoint is disabled. */
const LOOK_AGAIN_MS = 1_000;
const DISABLED_MS = 30_000;

type Deps = Pick<DeliveryDeps, "worker" | "clock" | "log" | "wake">;

/**
 * Puts the next page of a replay on its way, and comes again when its rate allows more: page, place reached and the next
 * turn are one transaction, so that one killed at any moment goes on where it stopped.
 *
 * Its deliveries ride in lanes of their own kind, which few workers work: new events do not wait behind them. It adds
 * none while a second's worth of its own has not been tried.
 */
export async function workReplay(deps: Deps, lane: ClaimedLane, itemId: string): Promise<void> {
  const { workspaceId } = lane.key;
  const replayId = itemId as DeliveryReplayId;
  const now = deps.clock.now();
  const mine = and(eq(deliveryReplays.workspaceId, workspaceId), eq(deliveryReplays.id, replayId));
  const ended = await deps.worker.withWorkspace(workspaceId, async (tx) => {
    const settle = (outcome: ItemOutcome) => lane.settle(tx, [{ id: itemId, outcome }]);
    const endpoint = await findEndpoint(tx, workspaceId, lane.key.laneId as EndpointId, "share");
    const [row] = await tx.select().from(deliveryReplays).where(mine).for("update");
    if (row?.status !== "running") return settle("done");
    if (endpoint === null) {
      await tx.update(deliveryReplays).set({ status: "canceled", finishedAt: now }).where(mine);
      return settle("done");
    }
    const waitUntil = await waits(tx, endpoint, row, now);
    if (waitUntil !== null) return settle({ at: waitUntil });

    const scan = await scanEvents(tx, endpoint, { ...row, after: row.position }, Math.min(PAGE_MAX, row.ratePerSecond));
    const sent = await putOnTheirWay(tx, endpoint, row, scan.found, now);
    await tx
      .update(deliveryReplays)
      .set({
        position: scan.position,
        replayed: sql`${deliveryReplays.replayed} + ${sent.length}`,
        ...(scan.end ? { status: "completed", finishedAt: now } : {}),
      })
      .where(mine);
    await settle(
      scan.end ? "done" : { at: new Date(now.getTime() + Math.ceil((sent.length / row.ratePerSecond) * 1_000)) },
    );
    // What keeps an order keeps it in one lane.
    const kind = endpoint.deliveryOrder === "perRecord" ? "delivery" : lane.key.kind;
    await enqueue(
      tx,
      sent.map(({ id, tenantUid }) => ({ ...lane.key, kind, tenantUid, id, task: "deliver", runAt: now })),
    );
    return scan.end;
  });
  deps.wake.poke("lanes:deliveryReplay");
  deps.wake.poke("lanes:delivery");
  if (ended === true) deps.log.info({ workspaceId, replayId }, "replay completed");
}

/** Until when nothing is added; `null`: go on. */
async function waits(tx: Tx, endpoint: EndpointRow, row: ReplayRow, now: Date): Promise<Date | null> {
  if (endpoint.status === "disabled") return new Date(now.getTime() + DISABLED_MS);
  const state = gate(endpoint, now);
  if (state.kind === "open") return state.until;
  const [untried] = await tx
    .select({ deliveries: count() })
    .from(deliveries)
    .where(
      and(
        eq(deliveries.workspaceId, row.workspaceId),
        eq(deliveries.replayId, row.id),
        eq(deliveries.status, "pending"),
        eq(deliveries.attempts, deliveries.scheduleOffset),
      ),
    );
  return (untried?.deliveries ?? 0) >= row.ratePerSecond ? new Date(now.getTime() + LOOK_AGAIN_MS) : null;
}

/** @returns what is to be sent, in the order of the feed */
async function putOnTheirWay(
  tx: Tx,
  endpoint: EndpointRow,
  replay: ReplayRow,
  found: readonly FoundEvent[],
  now: Date,
): Promise<readonly { readonly id: DeliveryId; readonly tenantUid: FoundEvent["tenantUid"] }[]> {
  const again = await sendAgain(
    tx,
    replay,
    found.flatMap((event) => event.deliveryId ?? []),
    now,
  );
  const made = await makeMissing(
    tx,
    endpoint,
    replay,
    found.filter((event) => event.deliveryId === null),
    now,
  );
  return found.flatMap((event) => {
    const id = event.deliveryId ?? made.get(event.id) ?? null;
    if (id === null || (event.deliveryId !== null && !again.has(id))) return [];
    return [{ id, tenantUid: event.tenantUid }];
  });
}

/** @returns those that were not on their way already */
async function sendAgain(
  tx: Tx,
  replay: ReplayRow,
  ids: readonly DeliveryId[],
  now: Date,
): Promise<ReadonlySet<DeliveryId>> {
  if (ids.length === 0) return new Set();
  const rows = await tx.execute<{ id: DeliveryId }>(sql`
    with these as (
      select id from deliveries where workspace_id = ${replay.workspaceId} and id = any(${arrayParam(ids, "uuid")})
        and status in ('delivered', 'failed', 'skipped') order by id for update
    )
    update deliveries d set status = 'pending', replay_id = ${replay.id}, schedule_offset = d.attempts,
      next_attempt_at = ${now.toISOString()}::timestamptz, finished_at = null
    from these where d.workspace_id = ${replay.workspaceId} and d.id = these.id returning d.id`);
  return new Set([...rows].map((row) => row.id));
}

async function makeMissing(
  tx: Tx,
  endpoint: EndpointRow,
  replay: ReplayRow,
  missing: readonly FoundEvent[],
  now: Date,
): Promise<ReadonlyMap<FoundEvent["id"], DeliveryId>> {
  if (missing.length === 0) return new Map();
  // Lanes hand out what is due at the same instant in the order of ids, so ids must rise with positions.
  const ids = newIds<DeliveryId>(missing.length);
  const rows = missing.flatMap((event, index) => {
    const id = ids[index];
    if (id === undefined) return [];
    return {
      workspaceId: endpoint.workspaceId,
      id,
      endpointId: endpoint.id,
      eventId: event.id,
      eventType: event.type,
      tenantUid: event.tenantUid,
      orderKey: orderKeyOf(endpoint, event),
      position: event.position,
      status: "pending",
      nextAttemptAt: now,
      replayId: replay.id,
      createdAt: now,
    } satisfies typeof deliveries.$inferInsert;
  });
  const made = await tx
    .insert(deliveries)
    .values(rows)
    .onConflictDoNothing({ target: [deliveries.workspaceId, deliveries.endpointId, deliveries.eventId] })
    .returning({ id: deliveries.id, eventId: deliveries.eventId });
  return new Map(made.map(({ id, eventId }) => [eventId, id]));
}
