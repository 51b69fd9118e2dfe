import { describe, expect, test } from "vitest";
import { createBreakers } from "./breaker.ts";

describe("breakers", () => {
  test("stay closed below twenty calls, and below half of them failed", () => {
    const few = aBreaker();
    few.fail(19);
    expect(few.breakers.refusal("p")).toBeNull();
    const most = aBreaker();
    most.succeed(21);
    most.fail(20);
    expect(most.breakers.refusal("p")).toBeNull();
  });

  test("open with the twentieth call when half failed, for their own key alone", () => {
    const { breakers, fail, succeed } = aBreaker();
    succeed(10);
    fail(10);
    expect(breakers.refusal("p")).toBe(5_000);
    expect(breakers.refusal("other")).toBeNull();
  });

  test("forget failures older than ten seconds", () => {
    const { breakers, fail, clock } = aBreaker();
    fail(19);
    clock.pass(11_000);
    fail(1);
    expect(breakers.refusal("p")).toBeNull();
  });

  test("let one probe through when the time is over, and close when it succeeds", () => {
    const { breakers, fail, succeed, clock } = aBreaker();
    fail(20);
    clock.pass(5_000);
    expect(breakers.refusal("p")).toBeNull();
    expect(breakers.refusal("p")).toBe(5_000);
    succeed(1);
    expect(breakers.refusal("p")).toBeNull();
    expect(breakers.refusal("p")).toBeNull();
  });

  test("stay open twice as long after each failed probe, a minute at most", () => {
    const { breakers, fail, clock } = aBreaker();
    fail(20);
    for (const expected of [10_000, 20_000, 40_000, 60_000, 60_000]) {
      clock.pass(breakers.refusal("p") ?? 0);
      expect(breakers.refusal("p")).toBeNull();
      fail(1);
      expect(breakers.refusal("p")).toBe(expected);
    }
  });

  test("probe again when a probe never came back", () => {
    const { breakers, fail, clock } = aBreaker();
    fail(20);
    clock.pass(5_000);
    expect(breakers.refusal("p")).toBeNull();
    clock.pass(5_000);
    expect(breakers.refusal("p")).toBeNull();
  });
});

function aBreaker() {
  let now = Date.parse("2026-10-01T00:00:00Z");
  const clock = { now: () => new Date(now), pass: (ms: number) => (now += ms) };
  const breakers = createBreakers(clock, () => 0);
  const record = (failed: boolean) => (count: number) => {
    for (let call = 0; call < count; call++) breakers.record("p", failed);
  };
  return { breakers, clock, fail: record(true), succeed: record(false) };
}
