import type { RoleDatabase, Tx } from "../db/index.ts";
import type { Logger } from "../observability/index.ts";
import type { Clock } from "../runtime/index.ts";
import { claimLanes, extendLease, type LaneItem, type Lease, LEASE_MS } from "./claim.ts";
import { drainFeed, type LaneKey, type LaneKind } from "./enqueue.ts";
import { takeTurns, type LaneLimits } from "./limits.ts";
import { releaseLanes, type WorkedLane } from "./release.ts";
import { fence, restLane, settle, type Settlement } from "./settle.ts";
import type { Wake } from "./wake.ts";
import { whatWaits } from "./what-waits.ts";
import { createWorkLoop, type Round } from "./work-loop.ts";

/** A lane in the hands of a handler. Every write on its behalf goes through `settle` or `fence`. */
export interface ClaimedLane {
  readonly key: LaneKey;
  readonly items: readonly LaneItem[];
  /** To settle several lanes in one transaction. */
  readonly lease: Lease;
  /** Aborted when the lease is lost or the worker stops; then stop soon and write nothing. */
  readonly signal: AbortSignal;
  settle(tx: Tx, outcomes: Settlement["outcomes"]): Promise<void>;
  fence(tx: Tx): Promise<void>;
  /**
   * When the next items may begin, at most `wanted`; none: let the lane rest, it comes again when there may be turns.
   * Lanes with its id share them, whosever tenant's they are and wherever they are worked.
   */
  takeTurns(tx: Tx, limits: LaneLimits, wanted: number): Promise<readonly Date[]>;
  /** Nothing but urgent items is worked before `until`; items that are not settled stay as they are. */
  rest(tx: Tx, until: Date): Promise<void>;
}

export interface LaneWorkerDeps {
  /** As `patchbay_worker`. */
  readonly database: RoleDatabase;
  readonly kind: LaneKind;
  /** Items that it does not settle come again after {@link UNSETTLED_DELAY_MS}. */
  readonly handle: (lane: ClaimedLane) => Promise<void>;
  /** Lanes worked at the same time. */
  readonly lanesMax: number;
  readonly itemsPerLane: number;
  /** How long a lane stays taken when its worker dies; extended three times as often. */
  readonly leaseMs?: number;
  readonly clock: Clock;
  readonly wake: Pick<Wake, "on" | "hearing">;
  readonly log: Logger;
}

export interface LaneWorker {
  start(): void;
  /** Stops claiming, asks handlers to stop, waits for them up to 20 s and gives the lanes back. */
  stop(): Promise<void>;
}

const UNSETTLED_DELAY_MS = 1_000;
/** A lane that nobody waits for is given back with whatever the next round does, or after this long. */
const GIVE_BACK_MS_MAX = 50;
const STOP_WAIT_MS_MAX = 20_000;

/** Works lanes of one kind until stopped. Safe beside any number of others, in this process and in others. */
export function createLaneWorker(deps: LaneWorkerDeps): LaneWorker {
  const log = deps.log.with({ lanes: deps.kind });
  const { leaseMs = LEASE_MS } = deps;
  const stopping = new AbortController();
  const working = new Set<Promise<void>>();
  const worked: WorkedLane[] = [];
  let rounds = 0;
  let giveBackTimer: NodeJS.Timeout | null = null;
  const loop = createWorkLoop({ wake: deps.wake, topic: `lanes:${deps.kind}`, log, round });

  /** Gives back what is through and claims anew, for all lanes at once: a lane's share falls as their number grows. */
  async function round(): Promise<Round> {
    rounds += 1;
    const free = deps.lanesMax - working.size;
    if (free <= 0) return "nothing";
    const back = worked.splice(0);
    const { busy, leases, fed, due } = await deps.database
      .withQueue(
        async (tx) => {
          // Whoever has one of them in hand for long must not keep all others waiting.
          const busy = await release(tx, back, "skip");
          const leases = await claim(tx, free);
          return { busy, leases, ...(await whatWaits(tx, deps.kind)) };
        },
        { planOnce: true },
      )
      .catch((error: unknown) => {
        worked.push(...back);
        throw error;
      });
    for (const lease of leases) begin(lease);
    for (const lane of busy) giveBackLater(lane);
    // In a transaction of its own: it locks lanes that others hold.
    if (fed) await deps.database.withQueue(drainFeed);
    const dueInMs = due === null ? null : due.getTime() - deps.clock.now().getTime();
    // What is ready and was not taken was too much for one claim, or in other hands for a moment.
    if (fed || (leases.length > 0 && dueInMs !== null && dueInMs <= 0)) return "more";
    return { worked: leases.length > 0, dueInMs };
  }

  function claim(tx: Tx, lanesMax: number): Promise<readonly Lease[]> {
    const { kind, itemsPerLane } = deps;
    return claimLanes(tx, { kind, lanesMax, itemsPerLane, leaseMs, now: deps.clock.now() });
  }

  function release(tx: Tx, lanes: readonly WorkedLane[], busy: "wait" | "skip"): Promise<readonly WorkedLane[]> {
    const now = deps.clock.now();
    // The tables know what was settled: a handler's transaction may have been rolled back after it settled.
    const untouchedAt = new Date(now.getTime() + (stopping.signal.aborted ? 0 : UNSETTLED_DELAY_MS));
    return releaseLanes(tx, deps.kind, lanes, { now, untouchedAt, busy });
  }

  function begin(lease: Lease): void {
    const claimedIn = rounds;
    const work = workLane(lease).then((limited) => {
      working.delete(work);
      worked.push({ lease, limited });
      // What a round looked for meanwhile may be in this lane, or in one that there was no room for.
      if (rounds > claimedIn || limited) loop.nudge();
      else giveBackTimer ??= setTimeout(giveBackNow, GIVE_BACK_MS_MAX);
    });
    working.add(work);
  }

  function giveBackNow(): void {
    giveBackTimer = null;
    if (worked.length > 0) loop.nudge();
  }

  /** One that another transaction has in hand: alone, so that it holds nothing while it waits. */
  function giveBackLater(lane: WorkedLane): void {
    const work = deps.database
      .withQueue((tx) => release(tx, [lane], "wait"))
      .then(
        () => {},
        (error: unknown) => log.warn({ error }, "lane not given back; its lease will run out"),
      )
      .finally(() => {
        working.delete(work);
        loop.nudge();
      });
    working.add(work);
  }

  /** @returns whether it took turns */
  async function workLane(lease: Lease): Promise<boolean> {
    const lost = new AbortController();
    let limited = false;
    const stopHeartbeat = keepLease(lease, lost);
    try {
      if (lease.items.length > 0)
        await deps.handle({
          key: lease.key,
          items: lease.items,
          lease,
          signal: AbortSignal.any([lost.signal, stopping.signal]),
          fence: (tx) => fence(tx, lease),
          settle: (tx, outcomes) => settle(tx, [{ lease, outcomes }]),
          takeTurns(tx, limits, wanted) {
            limited = true;
            return takeTurns(tx, lease, limits, wanted, deps.clock.now());
          },
          rest: (tx, until) => restLane(tx, lease, until),
        });
    } catch (error) {
      log.error({ error, workspaceId: lease.key.workspaceId, laneId: lease.key.laneId }, "lane failed");
    } finally {
      stopHeartbeat();
    }
    return limited;
  }

  /** Extends the lease until told to stop; aborts `lost` when it went, or may have gone, to another worker. */
  function keepLease(lease: Lease, lost: AbortController): () => void {
    let heldSinceMs = performance.now();
    const heartbeat = setInterval(() => {
      const askedMs = performance.now();
      deps.database
        .withQueue((tx) => extendLease(tx, lease, leaseMs, deps.clock.now()))
        .then((ours) => {
          if (ours) heldSinceMs = askedMs;
          else lost.abort();
        })
        .catch((error: unknown) => log.warn({ error }, "lease not extended"));
      if (askedMs - heldSinceMs >= leaseMs) lost.abort();
    }, leaseMs / 3);
    return () => clearInterval(heartbeat);
  }

  return {
    start: () => loop.start(),
    async stop() {
      stopping.abort();
      await loop.stop();
      if (giveBackTimer !== null) clearTimeout(giveBackTimer);
      await Promise.race([
        Promise.allSettled(working),
        new Promise((resolve) => setTimeout(resolve, STOP_WAIT_MS_MAX).unref()),
      ]);
      await deps.database
        .withQueue((tx) => release(tx, worked.splice(0), "wait"))
        .catch((error: unknown) => log.warn({ error }, "lanes not given back; their leases will run out"));
    },
  };
}
