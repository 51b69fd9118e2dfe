import type { WorkspaceId } from "@patchbay/shared";
import { createWorkLoop, queueUnsequenced, type Wake, type WorkLoop } from "../../platform/lanes/index.ts";
import type { RoleDatabase } from "../../platform/db/index.ts";
import type { Logger } from "../../platform/observability/index.ts";
import type { Clock } from "../../platform/runtime/index.ts";
import { sequenceBatch } from "./sequence-batch.ts";

interface Deps {
  /** As `patchbay_worker`. */
  readonly worker: RoleDatabase;
  readonly clock: Clock;
  readonly wake: Pick<Wake, "poke" | "on" | "hearing">;
  readonly log: Logger;
}

export type Sequencer = Pick<WorkLoop, "start" | "stop">;

/** Workspaces sequenced at the same time. */
const WORKSPACES_AT_ONCE = 4;
/** Workspaces looked at in one round; the others wait for the next. */
const WORKSPACES_MAX = 1_000;
/** Sequences every workspace that has new events, until stopped. Any number of processes may do so at once. */
export function createSequencer(deps: Deps): Sequencer {
  // One batch per workspace and round: a workspace with a long backlog does not keep the others waiting.
  return createWorkLoop({
    wake: deps.wake,
    topic: "events",
    log: deps.log,
    round: async () => ((await sequenceRound(deps)) > 0 ? "more" : "nothing"),
  });
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
    if (batch.events > 0) deps.wake.poke("feed", workspaceId);
    return batch.events;
  } catch (error) {
    deps.log.error({ error, workspaceId }, "workspace not sequenced");
    return 0;
  }
}
