import type { RunId } from "@patchbay/shared";
import {
  apply,
  ConcurrentApply,
  quarantine,
  type AppliedObject,
  type ApplyResult,
  type GoneObject,
  type ReadInterval,
  type RejectedItem,
} from "../../domain/records/index.ts";
import type { Sealer } from "../../domain/vault/index.ts";
import type { Tx } from "../../platform/db/index.ts";
import type { ClaimedLane } from "../../platform/lanes/index.ts";
import type { IngestDeps } from "./deps.ts";
import type { LaneConnection } from "./lane-connection.ts";

export interface ReadResult {
  readonly objects: readonly AppliedObject[];
  readonly rejected: readonly RejectedItem[];
  readonly gone: readonly GoneObject[];
  readonly read: ReadInterval;
}

/** Another writer of the same tenant may come first this often. */
const TRIES_MAX = 3;

/**
 * Puts what a read gave into the records, in one transaction with what `inSameTx` adds, fenced by the lane: a worker
 * that lost its lane writes nothing.
 *
 * @throws LeaseLost
 */
export async function applyRead(
  deps: Pick<IngestDeps, "worker" | "clock" | "wake">,
  lane: Pick<ClaimedLane, "fence">,
  connection: LaneConnection,
  result: ReadResult,
  options: { readonly announce: boolean; readonly runId: RunId | null; readonly sealer: Sealer },
  inSameTx: (tx: Tx, applied: ApplyResult) => Promise<void>,
): Promise<ApplyResult> {
  const { owner } = connection;
  for (let tries = 1; ; tries++) {
    try {
      const applied = await deps.worker.withWorkspace(
        owner.workspaceId,
        async (tx) => {
          const done = await apply(tx, deps, { owner, ...result, ...options });
          await quarantine(tx, deps, { owner, ...result, ...options });
          // As late as can be: the router waits for this lane while it has hints for it.
          await lane.fence(tx);
          await inSameTx(tx, done);
          return done;
        },
        { planOnce: true },
      );
      if (applied.events > 0) deps.wake.poke("events");
      return applied;
    } catch (error) {
      if (!(error instanceof ConcurrentApply) || tries >= TRIES_MAX) throw error;
    }
  }
}
