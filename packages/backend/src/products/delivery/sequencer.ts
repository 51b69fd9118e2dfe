import type { WorkspaceId } from "@patchbay/shared";
import { queueUnsequenced, type Wake } from "../../platform/lanes/index.ts";
import type { RoleDatabase } from "../../platform/db/index.ts";
import type { Logger } from "../../platform/observability/index.ts";
import type { Clock } from "../../platform/runtime/index.ts";
import type { FeedSignal } from "./deps.ts";
import { sequenceBatch } from "./sequence-batch.ts";

interface Deps {
  /** As `patchbay_worker`. */
  readonly worker: RoleDatabase;
  readonly clock: Clock;
  readonly wake: Pick<Wake, "poke" | "on">;
  readonly log: Logger;
  readonly feedSignal: FeedSignal;
}

export interface Sequencer {
  start(): void;
  /** Ends after the batches under way. */
  stop(): Promise<void>;
}

/** Workspaces sequenced at the same time. */
const WORKSPACES_AT_ONCE = 4;
/** Workspaces looked at in one round; the others wait for the next. */
const WORKSPACES_MAX = 1_000;
/** How long to wait for a wake-up before looking anyway: shortly after there was work, and else. */
const POLL_BUSY_MS = 250;
const POLL_IDLE_MS = 1_000;
const BUSY_FOR_MS = 2_000;

/** Sequences every workspace that has new events, until stopped. Any number of processes may do so at once. */
export function createSequencer(deps: Deps): Sequencer {
  let stopping = false;
  let poked = false;
  let wakeUp: () => void = () => {};
  let loop: Promise<void> = Promise.resolve();
  let off: () => void = () => {};

  async function run(): Promise<void> {
    let lastWorkAt = 0;
    while (!stopping) {
      poked = false;
      const sequenced = await sequenceRound(deps).catch((error: unknown) => {
        deps.log.error({ error }, "workspaces with new events not found");
        return 0;
      });
      // One batch per workspace and round: a workspace with a long backlog does not keep the others waiting.
      if (sequenced > 0) lastWorkAt = performance.now();
      if (sequenced === 0) await rest(performance.now() - lastWorkAt < BUSY_FOR_MS ? POLL_BUSY_MS : POLL_IDLE_MS);
    }
  }

  async function rest(waitMs: number): Promise<void> {
    if (poked || stopping) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, waitMs);
      wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    wakeUp = () => {};
  }

  return {
    start() {
      off = deps.wake.on("events", () => {
        poked = true;
        wakeUp();
      });
      loop = run();
    },
    async stop() {
      stopping = true;
      off();
      wakeUp();
      await loop;
    },
  };
}

/** One batch for each workspace that has new events. @returns how many events got a position */
async function sequenceRound(deps: Deps): Promise<number> {
  const waiting = await deps.worker.withQueue((tx) =>
    tx.selectDistinct({ id: queueUnsequenced.workspaceId }).from(queueUnsequenced).limit(WORKSPACES_MAX),
  );
  const left = waiting.map((row) => row.id);
  let sequenced = 0;
  const work = async () => {
    for (let id = left.pop(); id !== undefined; id = left.pop()) {
      const events = await sequenceOne(deps, id);
      sequenced += events;
    }
  };
  await Promise.all(Array.from({ length: Math.min(WORKSPACES_AT_ONCE, left.length) }, work));
  return sequenced;
}

/** A workspace that fails is tried again at the next poll; the others go on. */
async function sequenceOne(deps: Deps, workspaceId: WorkspaceId): Promise<number> {
  try {
    const batch = await sequenceBatch(deps, workspaceId);
    if (batch.deliveries > 0) deps.wake.poke("lanes:delivery");
    if (batch.events > 0) deps.feedSignal.notify(workspaceId);
    return batch.events;
  } catch (error) {
    deps.log.error({ error, workspaceId }, "workspace not sequenced");
    return 0;
  }
}
