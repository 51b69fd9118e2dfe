import { describe, expect, test } from "vitest";
import { paceOf, type TokenLimit } from "./token-budget.ts";

const LIMITS: readonly TokenLimit[] = [1, 2, 5, 9, 10, 20, 37, 100, 1_000].map((requests) => ({
  requests,
  perSeconds: 10,
}));

describe("places at the token endpoint", () => {
  test.each(LIMITS)("whose calls are late by up to an eighth of the window keep to $requests in it", (limit) => {
    expect(mostInWindow(limit, 1 / 8)).toBeLessThanOrEqual(limit.requests);
  });

  test("whose calls are held up for longer and let go together may not: the endpoint has to say so then", () => {
    expect(mostInWindow({ requests: 100, perSeconds: 10 }, 1 / 4)).toBeGreaterThan(100);
  });
});

/** The worst case: calls that were due earlier arrive when the window begins, and the others are in time. */
function mostInWindow(limit: TokenLimit, lateShare: number): number {
  const { stepMs, aheadMs } = paceOf(limit);
  const burst = Math.round(aheadMs / stepMs) + 1;
  const windowMs = limit.perSeconds * 1_000;
  // The last of the burst is due with the first; from then on one at each step.
  const places = Array.from({ length: 2 * limit.requests }, (_, n) => Math.max(0, n + 1 - burst) * stepMs);
  return places.filter((atMs) => atMs < windowMs * (1 + lateShare)).length;
}
