import type { WorkspaceId } from "@patchbay/shared";
import { createWorkLoop, queueUnsequenced, type Round, type Wake, type WorkLoop } from "../../platform/lanes/index.ts";
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
    round: () => sequenceRound(deps),
  });
}

/** One batch for each workspace that has new events. */
async function sequenceRound(deps: Deps): Promise<Round> {
  const waiting = await deps.worker.withQueue((tx) =>
    tx.selectDistinct({ id: queueUnsequenced.workspaceId }).from(queueUnsequenced).limit(WORKSPACES_MAX),
  );
  const left = waiting.map((row) => row.id);
  let more = left.length >= WORKSPACES_MAX;
  const work = async () => {
    for (let id = left.pop(); id !== undefined; id = left.pop()) {
      if (await sequenceOne(deps, id)) more = true;
    }
  };
  await Promise.all(Array.from({ length: Math.min(WORKSPACES_AT_ONCE, left.length) }, work));
  return more ? "more" : { worked: waiting.length > 0, dueInMs: null };
}

/** A workspace that fails is tried again at the next poll; the others go on. @returns whether it has more events */
async function sequenceOne(deps: Deps, workspaceId: WorkspaceId): Promise<boolean> {
  try {
    const batch = await sequenceBatch(deps, workspaceId);
    if (batch.deliveries > 0) deps.wake.poke("lanes:delivery");
    if (batch.events > 0) deps.wake.poke("feed", workspaceId);
    return batch.more;
  } catch (error) {
    deps.log.error({ error, workspaceId }, "workspace not sequenced");
    return false;
  }
}
