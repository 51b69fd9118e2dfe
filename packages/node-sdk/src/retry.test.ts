import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ApiConnectionError, errorFromAnswer } from "./errors.ts";
import { parseRetryAfter, RETRY_AFTER_MAX_MS, retryDelayMs } from "./retry.ts";

describe("retryDelayMs", () => {
  test.each([
    [1, 500],
    [2, 1000],
    [5, 8000],
    [60, 8000],
  ])("after failure %i waits less than %i ms", (failures, ceilingMs) => {
    const error = new ApiConnectionError("down");
    expect(retryDelayMs(error, failures, () => 0.999999)).toBeLessThan(ceilingMs);
    expect(retryDelayMs(error, failures, () => 0)).toBe(0);
  });

  test("never waits less than the server asked, nor longer than its bound", () => {
    const failure = fc.integer({ min: 1, max: 40 });
    const chance = fc.double({ min: 0, max: 0.999999, noNaN: true });
    const asked = fc.option(fc.integer({ min: 0, max: 3600 }));
    fc.assert(
      fc.property(failure, chance, asked, (failures, random, retryAfterSeconds) => {
        const error = errorFromAnswer({ status: 503, requestId: null, retryAfterSeconds }, undefined);
        const delayMs = retryDelayMs(error, failures, () => random);
        const askedMs = (retryAfterSeconds ?? 0) * 1000;
        if (askedMs > RETRY_AFTER_MAX_MS) expect(delayMs).toBeNull();
        else expect(delayMs).toSatisfy((ms: number) => ms >= askedMs && ms <= Math.max(askedMs, 8000));
      }),
    );
  });

  test("does not repeat what is not about the network or the server", () => {
    expect(retryDelayMs(new TypeError("bug"), 1, () => 0.5)).toBeNull();
  });
});

describe("parseRetryAfter", () => {
  test.each([
    [null, null],
    ["3", 3],
    ["0.5", 0.5],
    ["-3", null],
    ["soon", null],
    ["Thu, 01 Jan 1970 00:00:10 GMT", 10],
    ["Thu, 01 Jan 1970 00:00:00 GMT", 0],
  ])("reads %j as %j", (header, seconds) => {
    expect(parseRetryAfter(header, 0)).toBe(seconds);
  });
});
