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
  releaseLane,
  settle,
} from "./claim.ts";
import { drainFeed, type LaneKey, type LaneKind } from "./enqueue.ts";
import type { Wake } from "./wake.ts";

/** A lane in the hands of a handler. Every write on its behalf goes through `settle` or `fence`. */
export interface ClaimedLane {
  readonly key: LaneKey;
  readonly items: readonly LaneItem[];
  /** Aborted when the lease is lost or the worker stops; then stop soon and write nothing. */
  readonly signal: AbortSignal;
  settle(tx: Tx, outcomes: readonly { readonly id: string; readonly outcome: ItemOutcome }[]): Promise<void>;
  fence(tx: Tx): Promise<void>;
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
  readonly clock: Clock;
  readonly wake: Wake;
  readonly log: Logger;
}

export interface LaneWorker {
  start(): void;
  /** Stops claiming, asks handlers to stop, waits for them up to 20 s and gives the lanes back. */
  stop(): Promise<void>;
}

const HEARTBEAT_MS = LEASE_MS / 3;
const POLL_MS = 1_000;
const UNSETTLED_DELAY_MS = 1_000;
const STOP_WAIT_MS_MAX = 20_000;

/** Works lanes of one kind until stopped. Safe beside any number of others, in this process and in others. */
export function createLaneWorker(deps: LaneWorkerDeps): LaneWorker {
  const log = deps.log.with({ lanes: deps.kind });
  const stopping = new AbortController();
  const working = new Set<Promise<void>>();
  let poked = false;
  let wakeUp: () => void = () => {};
  let loop: Promise<void> = Promise.resolve();
  const off = deps.wake.on(`lanes:${deps.kind}`, () => {
    poked = true;
    wakeUp();
  });

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      poked = false;
      const claimed = await claim().catch((error: unknown) => {
        log.error({ error }, "lanes not claimed");
        return 0;
      });
      if (claimed === 0 || working.size >= deps.lanesMax) await rest();
    }
  }

  async function claim(): Promise<number> {
    const free = deps.lanesMax - working.size;
    if (free <= 0) return 0;
    const leases = await deps.database.withQueue(async (tx) => {
      await drainFeed(tx);
      return claimLanes(tx, {
        kind: deps.kind,
        lanesMax: free,
        itemsPerLane: deps.itemsPerLane,
        now: deps.clock.now(),
      });
    });
    for (const lease of leases) {
      const work = workLane(lease).finally(() => {
        working.delete(work);
        wakeUp();
      });
      working.add(work);
    }
    return leases.length;
  }

  async function workLane(lease: Lease): Promise<void> {
    const lost = new AbortController();
    const settled = new Set<string>();
    const heartbeat = setInterval(() => {
      deps.database
        .withQueue((tx) => extendLease(tx, lease, deps.clock.now()))
        .then((ours) => (ours ? undefined : lost.abort()))
        .catch((error: unknown) => log.warn({ error }, "lease not extended"));
    }, HEARTBEAT_MS);
    try {
      if (lease.items.length > 0)
        await deps.handle({
          key: lease.key,
          items: lease.items,
          signal: AbortSignal.any([lost.signal, stopping.signal]),
          fence: (tx) => fence(tx, lease),
          settle: async (tx, outcomes) => {
            await settle(tx, lease, outcomes);
            for (const { id } of outcomes) settled.add(id);
          },
        });
    } catch (error) {
      log.error({ error, workspaceId: lease.key.workspaceId, laneId: lease.key.laneId }, "lane failed");
    } finally {
      clearInterval(heartbeat);
      await giveBack(
        lease,
        lease.items.filter((item) => !settled.has(item.id)),
      ).catch((error: unknown) => log.warn({ error }, "lane not given back; its lease will run out"));
    }
  }

  async function giveBack(lease: Lease, unsettled: readonly LaneItem[]): Promise<void> {
    await deps.database.withQueue(async (tx) => {
      if (unsettled.length > 0) {
        const at = new Date(deps.clock.now().getTime() + (stopping.signal.aborted ? 0 : UNSETTLED_DELAY_MS));
        await settle(
          tx,
          lease,
          unsettled.map(({ id }) => ({ id, outcome: { at } })),
        );
      }
      await releaseLane(tx, lease, Math.max(1, lease.items.length));
    });
  }

  async function rest(): Promise<void> {
    if (poked || stopping.signal.aborted) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, POLL_MS);
      wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    wakeUp = () => {};
  }

  return {
    start() {
      loop = run();
    },
    async stop() {
      stopping.abort();
      off();
      wakeUp();
      await loop;
      await Promise.race([
        Promise.allSettled(working),
        new Promise((resolve) => setTimeout(resolve, STOP_WAIT_MS_MAX).unref()),
      ]);
    },
  };
}
