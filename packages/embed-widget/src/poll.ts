/** How often and how long something is asked again. */
export interface Pace {
  readonly firstMs: number;
  readonly factor: number;
  readonly ceilingMs: number;
  /** After this long nobody waits any more. */
  readonly limitMs: number;
}

export interface PollDeps {
  readonly clock: { now(): number };
  readonly timers: { set(run: () => void, ms: number): number; clear(id: number): void };
  /** Nobody looks: asking can wait. */
  readonly isHidden: () => boolean;
}

export interface Poll {
  /** Asks at once, for instance when the page is looked at again. */
  now(): void;
  stop(): void;
}

/**
 * Asks again and again until stopped; slower each time, not while hidden, never twice at once.
 *
 * @param ask must not reject
 */
export function startPoll(deps: PollDeps, pace: Pace, ask: () => Promise<void>, onLimit: () => void): Poll {
  const startedAt = deps.clock.now();
  let waitMs = pace.firstMs;
  let timer: number | null = null;
  let asking = false;
  let stopped = false;

  const plan = (): void => {
    if (stopped) return;
    timer = deps.timers.set(tick, waitMs);
    waitMs = Math.min(waitMs * pace.factor, pace.ceilingMs);
  };

  const tick = (): void => {
    if (stopped || asking) return;
    if (timer !== null) deps.timers.clear(timer);
    timer = null;
    if (deps.clock.now() - startedAt >= pace.limitMs) {
      stopped = true;
      onLimit();
      return;
    }
    if (deps.isHidden()) return plan();
    asking = true;
    void ask().finally(() => {
      asking = false;
      plan();
    });
  };

  plan();
  return {
    now: tick,
    stop() {
      stopped = true;
      if (timer !== null) deps.timers.clear(timer);
    },
  };
}
