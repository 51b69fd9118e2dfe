import { describe, expect, test } from "vitest";
import { retryAfterSeconds } from "./generic-fault.ts";
import { retryDelayMs } from "./retry.ts";

describe("retryDelayMs", () => {
  test.each([
    [2, 100],
    [3, 200],
    [4, 400],
    [5, 800],
    [40, 30_000],
  ])("attempt %i waits less than %i ms", (attempt, ceilingMs) => {
    expect(retryDelayMs(attempt, null, () => 0.999_999)).toBeLessThan(ceilingMs);
    expect(retryDelayMs(attempt, null, () => 0.999_999)).toBeGreaterThanOrEqual(ceilingMs * 0.99);
    expect(retryDelayMs(attempt, null, () => 0)).toBe(0);
  });

  test("waits at least what the provider asked for", () => {
    expect(retryDelayMs(2, 7, () => 0)).toBe(7_000);
  });
});

describe("retryAfterSeconds", () => {
  const now = new Date("2026-10-01T00:00:00Z");
  test.each([
    ["1", 1],
    ["2.5", 2.5],
    ["120", 120],
    ["1000000000", 3_600],
    ["Thu, 01 Oct 2026 00:00:30 GMT", 30],
    ["Wed, 30 Sep 2026 00:00:00 GMT", null],
    ["-1", null],
    ["soon", null],
    ["", null],
    [undefined, null],
  ])("reads %j as %s", (value, seconds) => expect(retryAfterSeconds(value, now)).toBe(seconds));
});
