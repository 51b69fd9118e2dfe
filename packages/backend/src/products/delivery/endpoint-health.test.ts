import { describe, expect, test } from "vitest";
import { afterFailure, afterSuccess, gate, isWell, type EndpointHealth } from "./endpoint-health.ts";

const START = new Date("2026-10-01T12:00:00Z");
const later = (ms: number) => new Date(START.getTime() + ms);
const NEW: EndpointHealth = { consecutiveFailures: 0, failingSince: null, lastSuccessAt: null, openUntil: null };
const failure = { weight: 1, pauseMs: null, probe: false } as const;

function afterFailures(count: number, now = START): EndpointHealth {
  return Array.from({ length: count }).reduce<EndpointHealth>(
    (health) => afterFailure(health, now, { ...failure, probe: gate(health, now).kind === "probe" }).health,
    NEW,
  );
}

describe("the breaker", () => {
  test("opens at the tenth failure, for 30 s, and says so once", () => {
    const nine = afterFailures(9);
    expect(gate(nine, START).kind).toBe("closed");
    const tenth = afterFailure(nine, START, failure);
    expect(tenth.tell).toBe("failing");
    expect(gate(tenth.health, START)).toEqual({ kind: "open", until: later(30_000) });
    expect(afterFailure(tenth.health, later(1), failure).tell).toBeNull();
  });

  test("opens after half as many refusals", () => {
    let health = NEW;
    for (let i = 0; i < 5; i++) health = afterFailure(health, START, { ...failure, weight: 2 }).health;
    expect(gate(health, START).kind).toBe("open");
  });

  test("stays closed while a third succeeds", () => {
    let health = NEW;
    for (let i = 0; i < 100; i++) {
      health = afterFailure(afterFailure(health, START, failure).health, START, failure).health;
      health = afterSuccess(health, START).health;
    }
    expect(gate(health, START).kind).toBe("closed");
  });

  test("lets a probe through when its time is over, and doubles the break when that fails, up to 30 minutes", () => {
    let health = afterFailures(10);
    const breaks: number[] = [];
    for (let i = 0; i < 8; i++) {
      const now = health.openUntil ?? START;
      expect(gate(health, now).kind).toBe("probe");
      health = afterFailure(health, now, { ...failure, probe: true }).health;
      breaks.push(((health.openUntil?.getTime() ?? 0) - now.getTime()) / 1000);
    }
    expect(breaks).toEqual([60, 120, 240, 480, 960, 1800, 1800, 1800]);
  });

  test("is not prolonged by attempts that were under way when it opened", () => {
    const open = afterFailures(10);
    expect(afterFailure(open, later(10), failure).health).toEqual(open);
  });

  test("closes with the first success and says so", () => {
    const closed = afterSuccess(afterFailures(12), later(60_000));
    expect(closed.tell).toBe("recovered");
    expect(gate(closed.health, later(60_000)).kind).toBe("closed");
    expect(closed.health.failingSince).toBeNull();
  });

  test("leaves a receiver alone for as long as it asks, at most half an hour", () => {
    const asked = afterFailure(NEW, START, { ...failure, pauseMs: 90_000 });
    expect(gate(asked.health, START)).toEqual({ kind: "open", until: later(90_000) });
    expect(gate(afterSuccess(asked.health, later(1)).health, later(1)).kind).toBe("open");
    const greedy = afterFailure(NEW, START, { ...failure, pauseMs: 86_400_000 });
    expect(gate(greedy.health, START)).toEqual({ kind: "open", until: later(1_800_000) });
  });
});

describe("giving up", () => {
  const FIVE_DAYS_MS = 5 * 86_400_000;

  test("comes with a failure five days after the first one", () => {
    const first = afterFailure(NEW, START, failure).health;
    expect(afterFailure(first, later(FIVE_DAYS_MS - 1), failure).giveUp).toBe(false);
    expect(afterFailure(first, later(FIVE_DAYS_MS), failure).giveUp).toBe(true);
  });

  test("counts from the last success", () => {
    const first = afterFailure(NEW, START, failure).health;
    const well = afterSuccess(first, later(86_400_000)).health;
    const again = afterFailure(well, later(2 * 86_400_000), failure);
    expect(afterFailure(again.health, later(FIVE_DAYS_MS), failure).giveUp).toBe(false);
  });
});

describe("isWell", () => {
  test("spares the row of a healthy endpoint for a minute", () => {
    const { health } = afterSuccess(NEW, START);
    expect(isWell(health, later(59_999))).toBe(true);
    expect(isWell(health, later(60_000))).toBe(false);
    expect(isWell(NEW, START)).toBe(false);
  });
});
