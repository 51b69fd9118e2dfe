import type { Logger } from "../observability/index.ts";
import type { Wake, WakeTopic } from "./wake.ts";

/**
 * What a round of work found. `more`: begin the next at once. `nothing`: wait for a wake-up, else, `dueInMs`: for one,
 * but no longer than until something falls due.
 */
export type Round =
  | "more"
  | "nothing"
  | {
      /** Whether there was work: then more may come soon. */
      readonly worked: boolean;
      readonly dueInMs: number | null;
    };

export interface WorkLoop {
  start(): void;
  /** Looks again soon, as a wake-up would make it. */
  nudge(): void;
  /** Ends after the round under way. */
  stop(): Promise<void>;
}

/** How long to wait for a wake-up before looking anyway: this long after there was work, then twice as long each time. */
const POLL_MS_MIN = 250;
/** No longer than this while wake-ups reach us; they may still be lost with the process that was to send them. */
const POLL_MS_MAX = 5_000;
/** Nor than this while those of other processes do not. */
const POLL_DEAF_MS_MAX = 1_000;
/** What is due and was not taken is in other hands for a moment. */
const DUE_MS_MIN = 50;
/**
 * From the begin of one round to the next, unless it left more: what wakes us meanwhile is looked at together. Twice as
 * long as the round took, if that is more: where processors are short, rounds grow larger and not more frequent.
 */
const ROUND_MS_MIN = 10;
/** After a round that failed: the database may be back any time. */
const POLL_FAILED_MS = 1_000;

const NOTHING = { worked: false, dueInMs: null };

/**
 * Repeats `round` until stopped: at once while it finds more, else when woken, or after a poll's time, since wake-ups
 * may be lost. One that comes during a round counts for the next. A round that fails is tried again after a poll's time.
 */
export function createWorkLoop(deps: {
  readonly wake: Pick<Wake, "on" | "hearing">;
  readonly topic: WakeTopic;
  readonly log: Logger;
  readonly round: () => Promise<Round>;
}): WorkLoop {
  let stopped = false;
  let nudged = false;
  let endRest: () => void = () => {};
  let endPause: () => void = () => {};
  let running: Promise<void> = Promise.resolve();
  let off: () => void = () => {};
  const nudge = () => {
    nudged = true;
    endRest();
  };

  async function run(): Promise<void> {
    let pollMs = POLL_MS_MIN;
    while (!stopped) {
      nudged = false;
      const startedMs = performance.now();
      const found = await deps.round().catch((error: unknown): "failed" => {
        deps.log.error({ error, topic: deps.topic }, "round of work failed");
        return "failed";
      });
      const tookMs = performance.now() - startedMs;
      if (found === "more") {
        pollMs = POLL_MS_MIN;
        continue;
      }
      if (found === "failed") {
        await rest(POLL_FAILED_MS);
        continue;
      }
      const { worked, dueInMs } = found === "nothing" ? NOTHING : found;
      if (worked) pollMs = POLL_MS_MIN;
      const waitMs = Math.min(pollMs, deps.wake.hearing() ? POLL_MS_MAX : POLL_DEAF_MS_MAX);
      await rest(dueInMs === null ? waitMs : Math.min(waitMs, Math.max(DUE_MS_MIN, dueInMs)));
      pollMs = Math.min(pollMs * 2, POLL_MS_MAX);
      const earlyMs = Math.max(ROUND_MS_MIN, 2 * tookMs) - (performance.now() - startedMs);
      if (nudged && earlyMs > 0 && !stopped) await sleep(earlyMs, (end) => (endPause = end));
    }
  }

  async function rest(waitMs: number): Promise<void> {
    if (nudged || stopped) return;
    await sleep(waitMs, (end) => (endRest = end));
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
      endPause();
      await running;
    },
  };
}

/** @param expose is given what ends it early */
function sleep(ms: number, expose: (end: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    expose(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
