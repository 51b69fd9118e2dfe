import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { silentLogger } from "../observability/index.ts";
import { createWorkLoop, type Round } from "./work-loop.ts";

/** A loop whose rounds answer what `answers` says, and `nothing` after that; `rounds` tells how many there were. */
function aLoop(answers: readonly (Round | Error)[], during?: (round: number, nudge: () => void) => void) {
  let rounds = 0;
  let wake: () => void = () => {};
  const reached = new Map<number, () => void>();
  const loop = createWorkLoop({
    topic: "events",
    log: silentLogger,
    wake: {
      on: (_, listener) => {
        wake = () => listener("");
        return () => {};
      },
    },
    round: async () => {
      rounds += 1;
      reached.get(rounds)?.();
      during?.(rounds, () => wake());
      const answer = answers[rounds - 1] ?? "nothing";
      if (answer instanceof Error) throw answer;
      return answer;
    },
  });
  return {
    loop,
    rounds: () => rounds,
    wake: () => wake(),
    round: (n: number) => new Promise<void>((resolve) => (rounds >= n ? resolve() : reached.set(n, resolve))),
  };
}

const POLL_MS = 1_000;

describe("work loop", () => {
  // Time stands still unless a test moves it: what needs a poll does not happen by itself.
  beforeEach(() => vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
  afterEach(() => vi.useRealTimers());

  test("goes on at once while a round finds more", async () => {
    const { loop, round } = aLoop(["more", "more", "more"]);
    loop.start();
    await round(4);
    await loop.stop();
  });

  test("does not lose a wake-up that comes during a round", async () => {
    const { loop, round } = aLoop([], (n, nudge) => {
      if (n === 1) nudge();
    });
    loop.start();
    await round(2);
    await loop.stop();
  });

  test("looks again by itself when no wake-up comes", async () => {
    const { loop, round } = aLoop([]);
    loop.start();
    await round(1);
    await vi.advanceTimersByTimeAsync(POLL_MS);
    await round(2);
    await loop.stop();
  });

  test("goes on after a round that failed", async () => {
    const { loop, round } = aLoop([new Error("planted"), "more"]);
    loop.start();
    await round(1);
    await vi.advanceTimersByTimeAsync(POLL_MS);
    await round(3);
    await loop.stop();
  });

  test("ends after the round under way and begins no other", async () => {
    const { loop, rounds } = aLoop([]);
    loop.start();
    await loop.stop();
    expect(rounds()).toBe(1);
  });
});
