import type { Logger } from "../observability/index.ts";
import type { Wake, WakeTopic } from "./wake.ts";

/** What a round of work found. `more`: begin the next at once. `nothing`: wait for a wake-up. */
export type Round = "more" | "nothing";

export interface WorkLoop {
  start(): void;
  /** Looks again soon, as a wake-up would make it. */
  nudge(): void;
  /** Ends after the round under way. */
  stop(): Promise<void>;
}

/** How long to wait for a wake-up before looking anyway: shortly after there was work, and else. */
const POLL_BUSY_MS = 250;
const POLL_IDLE_MS = 1_000;
const BUSY_FOR_MS = 2_000;

/**
 * Repeats `round` until stopped: at once while it finds more, else when woken, or after a poll's time, since wake-ups
 * may be lost. One that comes during a round counts for the next. A round that fails is tried again after a poll's time.
 */
export function createWorkLoop(deps: {
  readonly wake: Pick<Wake, "on">;
  readonly topic: WakeTopic;
  readonly log: Logger;
  readonly round: () => Promise<Round>;
}): WorkLoop {
  let stopped = false;
  let nudged = false;
  let endRest: () => void = () => {};
  let running: Promise<void> = Promise.resolve();
  let off: () => void = () => {};
  const nudge = () => {
    nudged = true;
    endRest();
  };

  async function run(): Promise<void> {
    let lastWorkMs = -BUSY_FOR_MS;
    while (!stopped) {
      nudged = false;
      const found = await deps.round().catch((error: unknown): Round => {
        deps.log.error({ error, topic: deps.topic }, "round of work failed");
        return "nothing";
      });
      if (found === "more") lastWorkMs = performance.now();
      else await rest(performance.now() - lastWorkMs < BUSY_FOR_MS ? POLL_BUSY_MS : POLL_IDLE_MS);
    }
  }

  async function rest(waitMs: number): Promise<void> {
    if (nudged || stopped) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, waitMs);
      endRest = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    endRest = () => {};
  }

  return {
    nudge,
    start() {
      off = deps.wake.on(deps.topic, nudge);
      running = run();
    },
    async stop() {
      stopped = true;
      off();
      endRest();
      await running;
    },
  };
}
