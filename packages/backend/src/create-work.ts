import type { Housekeeping } from "./platform/jobs/index.ts";
import type { Logger } from "./platform/observability/index.ts";
import type { Hold } from "./products/restore/index.ts";

interface Startable {
  start(): void;
  stop(): Promise<void>;
}

/** All that works by itself: lanes, router, sequencer, chores. Waits while a restore is unconfirmed. */
export function createWork(deps: {
  readonly workers: readonly Startable[];
  readonly housekeeping: Housekeeping;
  readonly hold: Pick<Hold, "isHeld" | "released">;
  readonly stopping: AbortSignal;
  readonly log: Logger;
}): { start(): Promise<void>; stop(): Promise<void> } {
  let begun: Promise<void> | null = null;
  const begin = async () => {
    for (const each of deps.workers) each.start();
    await deps.housekeeping.start();
  };
  const beginLater = async () => {
    await deps.hold.released;
    if (deps.stopping.aborted) return;
    deps.log.info({}, "the restore is confirmed: work begins");
    begun = begin();
    await begun;
  };
  return {
    async start() {
      if (deps.hold.isHeld()) {
        deps.log.warn({}, "restored from a backup: nothing goes out until `patchbay restore confirm`");
        beginLater().catch((error: unknown) => deps.log.error({ error }, "work did not begin"));
        return;
      }
      begun = begin();
      await begun;
    },
    async stop() {
      if (begun === null) return;
      await begun.catch(() => {});
      await Promise.all([deps.housekeeping.stop(), ...deps.workers.map((each) => each.stop())]);
    },
  };
}
