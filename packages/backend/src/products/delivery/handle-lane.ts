import { encodeId, type DeliveryId, type EndpointId } from "@patchbay/shared";
import { and, eq, isNull, lte, or } from "drizzle-orm";
import { thinBody } from "../../domain/events/index.ts";
import { LeaseLost, type ClaimedLane, type LaneItem } from "../../platform/lanes/index.ts";
import { ALIGN_TASK, alignDeliveries } from "./align-deliveries.ts";
import type { DeliveryDeps } from "./deps.ts";
import { gate, probeUntil } from "./endpoint-health.ts";
import { loadLaneWork, type EndpointRow, type LoadedDelivery } from "./load-lane-work.ts";
import { openLaneWork } from "./open-lane-work.ts";
import { postEvent } from "./post-event.ts";
import { parkBehindEarlier } from "./order.ts";
import { REPLAY_TASK, workReplay } from "./replays/work-replay.ts";
import { recordAttempt } from "./record-attempt.ts";
import { dropUnreadable, holdOrDrop, rest, restNow, settleStale } from "./settle-unsent.ts";
import { endpoints } from "./tables.ts";
import { createTurns } from "./take-turns.ts";

/** Works the due deliveries of one endpoint and tenant in order, and what its endpoint's changes left to do. */
export async function handleLane(deps: DeliveryDeps, lane: ClaimedLane): Promise<void> {
  try {
    for (const item of lane.items.filter(({ task }) => task === ALIGN_TASK)) await alignDeliveries(deps, lane, item.id);
    for (const item of lane.items.filter(({ task }) => task === REPLAY_TASK)) await workReplay(deps, lane, item.id);
    // All other items are named by their delivery.
    const ids = lane.items.filter(isDelivery).map((item) => item.id as DeliveryId);
    if (ids.length > 0) await deliverAll(deps, lane, ids);
  } catch (error) {
    if (!(error instanceof LeaseLost)) throw error;
    deps.log.warn({ workspaceId: lane.key.workspaceId, endpointId: lane.key.laneId }, "delivery lane lost");
  }
}

function isDelivery({ task }: LaneItem): boolean {
  return task !== ALIGN_TASK && task !== REPLAY_TASK;
}

async function deliverAll(deps: DeliveryDeps, lane: ClaimedLane, ids: readonly DeliveryId[]): Promise<void> {
  const { workspaceId } = lane.key;
  const endpointId = lane.key.laneId as EndpointId;
  const work = await deps.worker.withWorkspace(workspaceId, (tx) =>
    loadLaneWork(tx, { workspaceId, endpointId, ids, now: deps.clock.now() }),
  );
  await settleStale(
    deps,
    lane,
    ids.filter((id) => work.deliveries.get(id)?.status !== "pending"),
  );
  const due = inOrder(ids, work.deliveries);
  if (due.length === 0) return;

  const opened = await openLaneWork(deps.vault, workspaceId, work);
  const log = deps.log.with({ workspaceId, endpointId });
  const takeTurn = createTurns(deps, lane);
  let { endpoint } = work;
  for (const [index, delivery] of due.entries()) {
    if (lane.signal.aborted) return;
    if (endpoint?.status !== "enabled") {
      const left = due.slice(index).map(({ id }) => id);
      return holdOrDrop(deps, lane, left);
    }
    const body = opened.bodyOf(delivery);
    if (body === null) {
      await dropUnreadable(deps, lane, delivery.id);
      continue;
    }
    if (await parkBehindEarlier(deps, lane, endpoint, delivery)) continue;
    if (!isTest(delivery) && !(await takeTurn(endpoint, due.length - index))) return restNow(deps, lane);
    const pass = await passGate(deps, endpoint, delivery);
    if (pass === "wait") return rest(deps, lane);

    const { mode } = work;
    const { eventId } = delivery;
    const { url, payload } = endpoint;
    const attempt = await postEvent(deps, {
      url,
      mode,
      eventId,
      body: payload === "thin" ? thinBody(body) : body,
      secrets: delivery.signWith === "newest" ? opened.secrets.slice(0, 1) : opened.secrets,
      replay: replayOf(delivery),
    });
    const { statusCode, problem } = attempt.outcome;
    log.info(
      {
        deliveryId: delivery.id,
        eventId,
        number: delivery.attempts + 1,
        statusCode,
        problem,
        durationMs: attempt.durationMs,
      },
      "delivery attempted",
    );
    const probe = pass === "probe";
    endpoint = await recordAttempt(deps, { lane, mode, endpoint, delivery, attempt, probe, sealer: opened.sealer });
  }
}

/** Tests go first and through every gate: somebody is waiting to see what comes of them. */
function inOrder(
  ids: readonly DeliveryId[],
  loaded: ReadonlyMap<DeliveryId, LoadedDelivery>,
): readonly LoadedDelivery[] {
  const due = ids.flatMap((id) => loaded.get(id) ?? []).filter(({ status }) => status === "pending");
  return [...due.filter(isTest), ...due.filter((delivery) => !isTest(delivery))];
}

function isTest(delivery: LoadedDelivery): boolean {
  return delivery.eventType === "endpoint.test";
}

/** Says to the receiver that it may have seen this event before; `null`: it goes out for the first time. */
function replayOf({ replayId, scheduleOffset }: LoadedDelivery): string | null {
  if (replayId !== null) return encodeId("drp", replayId);
  return scheduleOffset > 0 ? "manual" : null;
}

/** After a break, the first delivery that comes by is let through to find out; the others wait for it. */
async function passGate(
  deps: DeliveryDeps,
  endpoint: EndpointRow,
  delivery: LoadedDelivery,
): Promise<"go" | "probe" | "wait"> {
  const now = deps.clock.now();
  const state = gate(endpoint, now);
  if (isTest(delivery) || state.kind === "closed") return "go";
  if (state.kind === "open") return "wait";

  const until = probeUntil(now);
  const won = await deps.worker.withWorkspace(endpoint.workspaceId, (tx) =>
    tx
      .update(endpoints)
      .set({ openUntil: until })
      .where(
        and(
          eq(endpoints.workspaceId, endpoint.workspaceId),
          eq(endpoints.id, endpoint.id),
          or(isNull(endpoints.openUntil), lte(endpoints.openUntil, now)),
        ),
      )
      .returning({ id: endpoints.id }),
  );
  return won.length > 0 ? "probe" : "wait";
}
