import type { RoleDatabase, Tx } from "../db/index.ts";
import type { Logger } from "../observability/index.ts";
import type { Clock } from "../runtime/index.ts";
import {
  claimLanes,
  extendLease,
  fence,
  type ItemOutcome,
  type LaneItem,
  type Lease,
  LEASE_MS,
  putOffUntouched,
  releaseLane,
  restLane,
  settle,
} from "./claim.ts";
import { drainFeed, type LaneKey, type LaneKind } from "./enqueue.ts";
import { freeSlot, takeTurns, type LaneLimits } from "./limits.ts";
import { nextDue } from "./next-due.ts";
import type { Wake } from "./wake.ts";
import { createWorkLoop, type Round } from "./work-loop.ts";

/** A lane in the hands of a handler. Every write on its behalf goes through `settle` or `fence`. */
export interface ClaimedLane {
  readonly key: LaneKey;
  readonly items: readonly LaneItem[];
  /** Aborted when the lease is lost or the worker stops; then stop soon and write nothing. */
  readonly signal: AbortSignal;
  settle(tx: Tx, outcomes: readonly { readonly id: string; readonly outcome: ItemOutcome }[]): Promise<void>;
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
const STOP_WAIT_MS_MAX = 20_000;

/** Works lanes of one kind until stopped. Safe beside any number of others, in this process and in others. */
export function createLaneWorker(deps: LaneWorkerDeps): LaneWorker {
  const log = deps.log.with({ lanes: deps.kind });
  const { leaseMs = LEASE_MS } = deps;
  const stopping = new AbortController();
  const working = new Set<Promise<void>>();
  const loop = createWorkLoop({ wake: deps.wake, topic: `lanes:${deps.kind}`, log, round: claim });

  async function claim(): Promise<Round> {
    const free = deps.lanesMax - working.size;
    if (free <= 0) return "nothing";
    const { leases, due } = await deps.database.withQueue(async (tx) => {
      await drainFeed(tx);
      const leases = await claimLanes(tx, {
        kind: deps.kind,
        lanesMax: free,
        itemsPerLane: deps.itemsPerLane,
        leaseMs,
        now: deps.clock.now(),
      });
      return { leases, due: leases.length > 0 ? null : await nextDue(tx, deps.kind) };
    });
    for (const lease of leases) {
      const work = workLane(lease).finally(() => {
        working.delete(work);
        loop.nudge();
      });
      working.add(work);
    }
    if (leases.length > 0) return "more";
    return due === null ? "nothing" : { dueInMs: due.getTime() - deps.clock.now().getTime() };
  }

  async function workLane(lease: Lease): Promise<void> {
    const lost = new AbortController();
    let limited = false;
    const stopHeartbeat = keepLease(lease, lost);
    try {
      if (lease.items.length > 0)
        await deps.handle({
          key: lease.key,
          items: lease.items,
          signal: AbortSignal.any([lost.signal, stopping.signal]),
          fence: (tx) => fence(tx, lease),
          settle: (tx, outcomes) => settle(tx, lease, outcomes),
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
      await giveBack(lease, limited).catch((error: unknown) =>
        log.warn({ error }, "lane not given back; its lease will run out"),
      );
    }
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

  async function giveBack(lease: Lease, limited: boolean): Promise<void> {
    await deps.database.withQueue(async (tx) => {
      await fence(tx, lease);
      if (limited) await freeSlot(tx, lease.key);
      const now = deps.clock.now();
      // The tables know what was settled: a handler's transaction may have been rolled back after it settled.
      const at = new Date(now.getTime() + (stopping.signal.aborted ? 0 : UNSETTLED_DELAY_MS));
      if (lease.items.length > 0) await putOffUntouched(tx, lease, at);
      await releaseLane(tx, lease, Math.max(1, lease.items.length), now);
    });
  }

  return {
    start: () => loop.start(),
    async stop() {
      stopping.abort();
      await loop.stop();
      await Promise.race([
        Promise.allSettled(working),
        new Promise((resolve) => setTimeout(resolve, STOP_WAIT_MS_MAX).unref()),
      ]);
    },
  };
}
