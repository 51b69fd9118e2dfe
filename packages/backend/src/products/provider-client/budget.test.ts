import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { connectorById, type Connector } from "../../connectors/index.ts";
import { createBudgets } from "./budget.ts";

const KEY = "grant";
const observation = { limit: 1_000, remaining: 1_000, restorePerSecond: 50, cost: 0 };

describe("budgets", () => {
  test("give what is there, then say when there is more", () => {
    const { budgets, connector } = aBudget();
    budgets.observe(KEY, { ...observation, remaining: 100 }, 0);
    expect(budgets.take(KEY, connector, 60, "interactive", 0)).toBe(0);
    expect(budgets.take(KEY, connector, 60, "interactive", 0)).toBe(400);
    expect(budgets.take(KEY, connector, 40, "interactive", 0)).toBe(0);
  });

  test("keep a fifth for people and webhooks, but starve no run", () => {
    const { budgets, connector } = aBudget();
    budgets.observe(KEY, { ...observation, remaining: 200 }, 0);
    expect(budgets.take(KEY, connector, 50, "backfill", 0)).toBeGreaterThan(0);
    expect(budgets.take(KEY, connector, 50, "incremental", 4_999)).toBeGreaterThan(0);
    expect(budgets.take(KEY, connector, 50, "webhook", 0)).toBe(0);
    expect(budgets.take(KEY, connector, 50, "backfill", 5_000)).toBe(0);
  });

  test("give back what the provider did not charge", () => {
    const { budgets, connector } = aBudget();
    budgets.observe(KEY, observation, 0);
    budgets.take(KEY, connector, 700, "interactive", 0);
    expect(budgets.take(KEY, connector, 700, "interactive", 0)).toBeGreaterThan(0);
    budgets.observe(KEY, { ...observation, remaining: 990, cost: 10 }, 700);
    expect(budgets.take(KEY, connector, 700, "interactive", 0)).toBe(0);
  });

  test("believe the provider when it counts less than we do: others share the account", () => {
    const { budgets, connector } = aBudget();
    budgets.observe(KEY, observation, 0);
    budgets.observe(KEY, { ...observation, remaining: 5, cost: 1 }, 1);
    expect(budgets.take(KEY, connector, 10, "interactive", 0)).toBe(100);
  });

  test("let a call through that costs more than there ever is", () => {
    const { budgets, connector } = aBudget();
    budgets.observe(KEY, observation, 0);
    expect(budgets.take(KEY, connector, 5_000, "interactive", 0)).toBe(0);
  });

  test("give nothing until the time that a refusal named", () => {
    const { budgets, connector, clock } = aBudget();
    budgets.observe(KEY, observation, 0);
    budgets.exhaust(KEY, 3);
    clock.pass(2_900);
    expect(budgets.take(KEY, connector, 1, "interactive", 0)).toBeGreaterThan(0);
    clock.pass(200);
    expect(budgets.take(KEY, connector, 1, "interactive", 0)).toBe(0);
  });

  test("start from what the connector declares", () => {
    const { budgets, connector } = aBudget();
    const [limit] = connector.limits;
    if (limit?.kind !== "cost") throw new Error("expected a cost limit");
    let taken = 0;
    while (budgets.take(KEY, connector, 100, "interactive", 0) === 0) taken += 100;
    expect(taken).toBe(limit.capacity);
  });

  test("never give more than the burst and what came back since, in any window", () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ passMs: fc.nat(3_000), cost: fc.integer({ min: 1, max: 400 }) }), { maxLength: 80 }),
        (calls) => {
          const { budgets, connector, clock } = aBudget();
          budgets.observe(KEY, observation, 0);
          const given: { readonly at: number; readonly cost: number }[] = [];
          for (const { passMs, cost } of calls) {
            clock.pass(passMs);
            const at = clock.now().getTime();
            if (budgets.take(KEY, connector, cost, "interactive", 0) === 0) given.push({ at, cost });
          }
          for (const [from, first] of given.entries()) {
            let sum = 0;
            for (const call of given.slice(from)) {
              sum += call.cost;
              expect(sum).toBeLessThanOrEqual(1_000 + ((call.at - first.at) / 1_000) * 50 + 1e-6);
            }
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

function aBudget() {
  let now = Date.parse("2026-10-01T00:00:00Z");
  const clock = { now: () => new Date(now), pass: (ms: number) => (now += ms) };
  const connector: Connector | null = connectorById("shopify");
  if (connector === null) throw new Error("no connector");
  return { budgets: createBudgets(clock), connector, clock };
}
