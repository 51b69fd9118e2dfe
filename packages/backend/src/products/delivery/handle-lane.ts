import { encodeId, type DeliveryId, type EndpointId, type WorkspaceId } from "@patchbay/shared";
import { and, eq, isNull, lte, or } from "drizzle-orm";
import { thinBody } from "../../domain/events/index.ts";
import { isDeadlock, isRowFault } from "../../platform/db/index.ts";
import { LeaseLost, type ClaimedLane, type LaneItem } from "../../platform/lanes/index.ts";
import { gather, type Gather } from "../../platform/runtime/index.ts";
import { ALIGN_TASK, alignDeliveries } from "./align-deliveries.ts";
import type { DeliveryDeps } from "./deps.ts";
import { gate, probeUntil } from "./endpoint-health.ts";
import type { EndpointRow } from "./find-endpoints.ts";
import { createInFlight, type Room } from "./in-flight.ts";
import { loadLaneWork, type LaneRequest, type LaneWork, type LoadedDelivery } from "./load-lane-work.ts";
import { openLaneWork } from "./open-lane-work.ts";
import { parkBehindEarlier } from "./order.ts";
import { postEvent } from "./post-event.ts";
import { recordAttempts, type MadeDelivery } from "./record-attempts.ts";
import { REPLAY_TASK, workReplay } from "./replays/work-replay.ts";
import { dropUnreadable, holdOrDrop, rest, restNow, settleStale } from "./settle-unsent.ts";
import { endpoints } from "./tables.ts";
import { createTurns } from "./take-turns.ts";

interface LaneDeps extends DeliveryDeps {
  readonly load: Gather<WorkspaceId, LaneRequest, LaneWork>;
  readonly record: Gather<WorkspaceId, MadeDelivery, EndpointRow | null>;
}

/** Lanes loaded in one transaction, with the bodies of all their events. */
const LANES_PER_LOAD = 4;
/** Attempts written down in one transaction. */
const ATTEMPTS_PER_RECORD = 64;
/** Of one lane, to an endpoint that is well. */
const WELL: Room = { requests: 8, attempts: 32 };
/** To an endpoint that may be in trouble, or that wants no more than so many at once from all its lanes. */
const IN_DOUBT: Room = { requests: 1, attempts: 1 };
/** Then the lane goes to others; what is left of it comes again at once. */
const SLICE_MS = 10_000;

/**
 * Works the due deliveries of one endpoint and tenant, and what its endpoint's changes left to do. What the lanes of a
 * workspace read and write at the same time goes together.
 */
export function createLaneHandler(deps: DeliveryDeps): (lane: ClaimedLane) => Promise<void> {
  const oneAtFault = (error: unknown) => error instanceof LeaseLost || isRowFault(error) || isDeadlock(error);
  const laneDeps: LaneDeps = {
    ...deps,
    load: gather({
      run: (workspaceId, lanes) => loadLaneWork(deps, workspaceId, lanes),
      batchMax: LANES_PER_LOAD,
      oneAtFault,
    }),
    record: gather({
      run: (workspaceId, made) => recordAttempts(deps, workspaceId, made),
      batchMax: ATTEMPTS_PER_RECORD,
      oneAtFault,
    }),
  };
  return (lane) => handleLane(laneDeps, lane);
}

async function handleLane(deps: LaneDeps, lane: ClaimedLane): Promise<void> {
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

async function deliverAll(deps: LaneDeps, lane: ClaimedLane, ids: readonly DeliveryId[]): Promise<void> {
  const { workspaceId } = lane.key;
  const work = await deps.load(workspaceId, { endpointId: lane.key.laneId as EndpointId, ids });
  await settleStale(
    deps,
    lane,
    ids.filter((id) => work.deliveries.get(id)?.status !== "pending"),
  );
  const due = inOrder(ids, work.deliveries);
  if (due.length > 0) await sendAll(deps, lane, work, due);
}

/**
 * In their order, several at once where the endpoint is well: a delivery begins once nothing about its subject is under
 * way.
 */
async function sendAll(
  deps: LaneDeps,
  lane: ClaimedLane,
  work: LaneWork,
  due: readonly LoadedDelivery[],
): Promise<void> {
  const { workspaceId } = lane.key;
  const { mode } = work;
  const opened = await openLaneWork(deps.vault, workspaceId, work);
  const log = deps.log.with({ workspaceId, endpointId: lane.key.laneId });
  const takeTurn = createTurns(deps, lane);
  const inFlight = createInFlight();
  const until = performance.now() + SLICE_MS;
  let { endpoint } = work;
  /** Known here, and not written down yet. */
  let failures = 0;

  const send = async (
    to: EndpointRow,
    delivery: LoadedDelivery,
    body: Uint8Array,
    probe: boolean,
    answered: () => void,
  ) => {
    const { eventId } = delivery;
    const attempt = await postEvent(deps, {
      url: to.url,
      mode,
      eventId,
      body: to.payload === "thin" ? thinBody(body) : body,
      secrets: delivery.signWith === "newest" ? opened.secrets.slice(0, 1) : opened.secrets,
      replay: replayOf(delivery),
    });
    const { durationMs, outcome } = attempt;
    const { statusCode, problem } = outcome;
    const number = delivery.attempts + 1;
    log.info({ deliveryId: delivery.id, eventId, number, statusCode, problem, durationMs }, "delivery attempted");
    const made = { lane, mode, endpoint: to, delivery, attempt, probe, sealer: opened.sealer };
    const failed = outcome.verdict === "delivered" ? 0 : 1;
    failures += failed;
    answered();
    endpoint = await deps.record(workspaceId, made);
    failures -= failed;
  };
  const room = () => (failures > 0 || isInDoubt(endpoint) ? IN_DOUBT : WELL);

  /** @returns what to do once nothing is under way; `null`: nothing more */
  const beginAll = async (): Promise<(() => Promise<void>) | null> => {
    for (const [index, delivery] of due.entries()) {
      await inFlight.room(room, delivery.subject);
      if (lane.signal.aborted) return null;
      if (performance.now() > until) return () => restNow(deps, lane);
      const left = due.slice(index);
      if (endpoint?.status !== "enabled")
        return () =>
          holdOrDrop(
            deps,
            lane,
            left.map(({ id }) => id),
          );
      const body = opened.bodyOf(delivery);
      if (body === null) {
        await dropUnreadable(deps, lane, delivery.id);
        continue;
      }
      if (await parkBehindEarlier(deps, lane, endpoint, delivery)) continue;
      if (!isTest(delivery) && !(await takeTurn(endpoint, left.length))) return () => restNow(deps, lane);
      const pass = await passGate(deps, endpoint, delivery);
      if (pass === "wait") return () => rest(deps, lane);
      const to = endpoint;
      inFlight.add(delivery.subject, (answered) => send(to, delivery, body, pass === "probe", answered));
    }
    return null;
  };

  let last: (() => Promise<void>) | null = null;
  try {
    last = await beginAll();
  } finally {
    // Also after a failure: the lane is not given back while requests of its are under way.
    await inFlight.landed();
  }
  await last?.();
}

function isInDoubt(endpoint: EndpointRow | null): boolean {
  return endpoint === null || endpoint.consecutiveFailures > 0 || endpoint.maxInFlight !== null;
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
