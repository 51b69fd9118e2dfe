import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { silentLogger } from "../observability/index.ts";
import { createWorkLoop, type Round } from "./work-loop.ts";

/** A loop whose rounds answer what `answers` says, and `nothing` after that; `rounds` tells how many there were. */
function aLoop(
  answers: readonly (Round | Error)[],
  during?: (round: number, nudge: () => void) => void,
  hearing = true,
) {
  let rounds = 0;
  let wake: () => void = () => {};
  const reached = new Map<number, () => void>();
  const loop = createWorkLoop({
    topic: "events",
    log: silentLogger,
    wake: {
      hearing: () => hearing,
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
const ROUND_MS = 10;

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
    await round(1);
    await vi.advanceTimersByTimeAsync(ROUND_MS);
    await round(2);
    await loop.stop();
  });

  test("looks once at all that wakes it within 10 ms", async () => {
    const { loop, rounds, round, wake } = aLoop([]);
    loop.start();
    await round(1);
    for (let i = 0; i < 20; i++) wake();
    await vi.advanceTimersByTimeAsync(ROUND_MS);
    await round(2);
    await vi.advanceTimersByTimeAsync(ROUND_MS);
    expect(rounds()).toBe(2);
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

  test("looks less and less often while nothing comes, but never more than 5 s apart", async () => {
    const { loop, rounds, round } = aLoop([]);
    loop.start();
    await round(1);
    for (const [ms, expected] of [
      [250, 2],
      [500, 3],
      [1_000, 4],
      [2_000, 5],
      [4_000, 6],
      [5_000, 7],
      [5_000, 8],
    ] as const) {
      await vi.advanceTimersByTimeAsync(ms - 1);
      expect(rounds()).toBe(expected - 1);
      await vi.advanceTimersByTimeAsync(1);
      expect(rounds()).toBe(expected);
    }
    await loop.stop();
  });

  test("looks every second at least while other processes cannot be heard", async () => {
    const { loop, rounds, round } = aLoop([], undefined, false);
    loop.start();
    await round(1);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(rounds()).toBeGreaterThan(55);
    await loop.stop();
  });

  test("looks when something falls due, however long it has been idle", async () => {
    const idle = Array.from({ length: 20 }, (): Round => "nothing");
    const { loop, rounds, round } = aLoop([...idle, { worked: false, dueInMs: 1_234 }]);
    loop.start();
    await round(1);
    await vi.advanceTimersByTimeAsync(250 + 500 + 1_000 + 2_000 + 4_000 + 15 * 5_000);
    expect(rounds()).toBe(21);
    await vi.advanceTimersByTimeAsync(1_233);
    expect(rounds()).toBe(21);
    await vi.advanceTimersByTimeAsync(1);
    expect(rounds()).toBe(22);
    await loop.stop();
  });

  test("looks soon again after there was work", async () => {
    const idle = Array.from({ length: 4 }, (): Round => "nothing");
    const { loop, rounds, round } = aLoop([...idle, { worked: true, dueInMs: null }]);
    loop.start();
    await round(1);
    await vi.advanceTimersByTimeAsync(250 + 500 + 1_000 + 2_000);
    expect(rounds()).toBe(5);
    await vi.advanceTimersByTimeAsync(250);
    expect(rounds()).toBe(6);
    await loop.stop();
  });

  test("does not spin on what is due and in other hands", async () => {
    const { loop, rounds, round } = aLoop(Array.from({ length: 1_000 }, (): Round => ({ worked: false, dueInMs: -5 })));
    loop.start();
    await round(1);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(rounds()).toBeLessThan(25);
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
