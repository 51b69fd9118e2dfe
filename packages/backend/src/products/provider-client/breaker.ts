import { LRUCache } from "lru-cache";
import type { Clock, Random } from "../../platform/runtime/index.ts";

/** Stops calling a provider that answers nothing: waiting is cheaper, for both, than trying. */
export interface Breakers {
  /** `null`: call. Else the milliseconds until the next try; the call is not made. */
  refusal(key: string): number | null;
  /** Feeds an outcome back. Failures are silence and 5xx, not refusals of ours. */
  record(key: string, failed: boolean): void;
}

interface Breaker {
  /** Calls and failures by second. */
  readonly seconds: Map<number, { calls: number; failures: number }>;
  state: "closed" | "open" | "probing";
  openUntil: number;
  openings: number;
}

const WINDOW_SECONDS = 10;
const CALLS_MIN = 20;
const FAILURE_SHARE = 0.5;
const OPEN_MS = 5_000;
const OPEN_MS_MAX = 60_000;
/** Provider × origin. */
const KEYS_MAX = 1_000;

/** Opens at half of at least twenty calls failed within ten seconds; then one probe at a time decides. */
export function createBreakers(clock: Clock, random: Random): Breakers {
  const breakers = new LRUCache<string, Breaker>({ max: KEYS_MAX });
  const find = (key: string): Breaker => {
    const known = breakers.get(key);
    if (known !== undefined) return known;
    const fresh: Breaker = { seconds: new Map(), state: "closed", openUntil: 0, openings: 0 };
    breakers.set(key, fresh);
    return fresh;
  };
  const open = (breaker: Breaker, now: number) => {
    const ms = Math.min(OPEN_MS * 2 ** breaker.openings, OPEN_MS_MAX) * (1 + random() * 0.2);
    breaker.state = "open";
    breaker.openUntil = now + ms;
    breaker.openings++;
    breaker.seconds.clear();
  };

  return {
    refusal(key) {
      const breaker = find(key);
      const now = clock.now().getTime();
      if (breaker.state === "closed") return null;
      if (now < breaker.openUntil) return breaker.openUntil - now;
      // The time is over: this call probes. Others wait for it, or for the next turn should it never come back.
      breaker.state = "probing";
      breaker.openUntil = now + OPEN_MS;
      return null;
    },
    record(key, failed) {
      const breaker = find(key);
      const now = clock.now().getTime();
      switch (breaker.state) {
        case "probing":
          if (failed) return open(breaker, now);
          breaker.state = "closed";
          breaker.openings = 0;
          return;
        case "open":
          return;
        case "closed":
          if (isBroken(count(breaker, failed, now))) open(breaker, now);
      }
    },
  };
}

function count(breaker: Breaker, failed: boolean, now: number): { calls: number; failures: number } {
  const second = Math.floor(now / 1000);
  for (const past of breaker.seconds.keys()) {
    if (past <= second - WINDOW_SECONDS) breaker.seconds.delete(past);
  }
  const current = breaker.seconds.get(second) ?? { calls: 0, failures: 0 };
  breaker.seconds.set(second, { calls: current.calls + 1, failures: current.failures + (failed ? 1 : 0) });
  const sum = { calls: 0, failures: 0 };
  for (const { calls, failures } of breaker.seconds.values()) {
    sum.calls += calls;
    sum.failures += failures;
  }
  return sum;
}

function isBroken({ calls, failures }: { calls: number; failures: number }): boolean {
  return calls >= CALLS_MIN && failures >= calls * FAILURE_SHARE;
}
