import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nextAttemptAt, parseRetryAfter, SCHEDULE_SECONDS } from "./schedule.ts";

const NOW = new Date("2026-10-01T12:00:00Z");
const waitSeconds = (attemptsMade: number, random: number, retryAfterMs: number | null = null) => {
  const at = nextAttemptAt(attemptsMade, NOW, () => random, retryAfterMs);
  return at === null ? null : (at.getTime() - NOW.getTime()) / 1000;
};

describe("nextAttemptAt", () => {
  test.each([
    [1, 5],
    [2, 300],
    [3, 1_800],
    [4, 7_200],
    [5, 18_000],
    [6, 36_000],
    [7, 50_400],
    [8, 72_000],
    [9, 86_400],
  ])("waits, after attempt %i, %i s give or take a fifth", (attemptsMade, seconds) => {
    expect(waitSeconds(attemptsMade, 0)).toBe(seconds * 0.8);
    expect(waitSeconds(attemptsMade, 0.5)).toBe(seconds);
    expect(waitSeconds(attemptsMade, 0.999999)).toBeLessThanOrEqual(seconds * 1.2);
  });

  test("gives up after the tenth attempt", () => {
    expect(waitSeconds(SCHEDULE_SECONDS.length, 0.5)).toBeNull();
    expect(SCHEDULE_SECONDS.reduce((sum, wait) => sum + wait)).toBe(272_105);
  });

  test("never comes back before the receiver asked", () => {
    expect(waitSeconds(1, 0.5, 60_000)).toBe(60);
    expect(waitSeconds(2, 0.5, 60_000)).toBe(300);
  });

  test("waits at most 24 hours because a receiver asked", () => {
    expect(waitSeconds(1, 0.5, 7 * 86_400_000)).toBe(86_400);
  });

  test("keeps to its bounds whatever chance says", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.double({ min: 0, max: 0.999999, noNaN: true }), (made, random) => {
        const wait = waitSeconds(made, random) ?? 0;
        const planned = SCHEDULE_SECONDS[made] ?? 0;
        return wait >= planned * 0.8 - 0.001 && wait <= planned * 1.2 + 0.001;
      }),
    );
  });
});

describe("parseRetryAfter", () => {
  test.each([
    ["120", 120_000],
    ["Thu, 01 Oct 2026 12:01:00 GMT", 60_000],
    ["Thu, 01 Oct 2026 11:00:00 GMT", 0],
  ])("reads %s", (text, waitMs) => {
    expect(parseRetryAfter(text, NOW)).toBe(waitMs);
  });

  test.each([undefined, "", "soon", "-1", "1.5", "2026-10-01", "Thursday"])("takes %s for none", (text) => {
    expect(parseRetryAfter(text, NOW)).toBeNull();
  });
});
