import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { afterPage, afterTooLarge, firstPageSize, type PageSize } from "./page-size.ts";

const BOUNDS = { initial: 25, min: 1, max: 250 };
const budget = (cost: number) => ({ limit: 1_000, remaining: 900, restorePerSecond: 50, cost });

describe("page size", () => {
  test("grows while pages are quick and cheap, up to the connector's most", () => {
    let now = firstPageSize(BOUNDS);
    for (let page = 0; page < 20; page++) now = afterPage(now, BOUNDS, { elapsedMs: 100, budget: budget(10) });
    expect(now.size).toBe(250);
  });

  test("stays when a page is neither cheap nor dear, and shrinks when it is dear or slow", () => {
    const now = { size: 100, ceiling: 250 };
    expect(afterPage(now, BOUNDS, { elapsedMs: 100, budget: budget(300) }).size).toBe(100);
    expect(afterPage(now, BOUNDS, { elapsedMs: 100, budget: budget(600) }).size).toBe(75);
    expect(afterPage(now, BOUNDS, { elapsedMs: 11_000, budget: null }).size).toBe(75);
  });

  test("never grows back to what was too large", () => {
    let now: PageSize | null = afterTooLarge({ size: 100, ceiling: 250 }, BOUNDS);
    expect(now).toEqual({ size: 50, ceiling: 50 });
    for (let page = 0; page < 10 && now !== null; page++) now = afterPage(now, BOUNDS, { elapsedMs: 1, budget: null });
    expect(now?.size).toBe(50);
  });

  test("ends when the smallest page is too large", () => {
    expect(afterTooLarge({ size: 1, ceiling: 1 }, BOUNDS)).toBeNull();
  });

  test("finds a size that the provider allows, and stays in bounds, whatever the provider's limit", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 400 }), fc.array(fc.nat(20_000), { maxLength: 30 }), (allowed, times) => {
        let now: PageSize | null = firstPageSize(BOUNDS);
        let refusals = 0;
        for (const elapsedMs of [...times, ...Array.from({ length: 20 }, () => 1)]) {
          if (now === null) throw new Error("a page of one was allowed");
          expect(now.size).toBeGreaterThanOrEqual(1);
          expect(now.size).toBeLessThanOrEqual(250);
          if (now.size > allowed) {
            refusals++;
            now = afterTooLarge(now, BOUNDS);
            continue;
          }
          now = afterPage(now, BOUNDS, { elapsedMs, budget: null });
        }
        expect(refusals).toBeLessThanOrEqual(8);
      }),
    );
  });
});
