import { expect, test } from "vitest";
import { EventLog } from "./event-log.ts";
import { anOrderCreated, NOW } from "./testing.ts";

test("keeps the newest 300 events", () => {
  const log = new EventLog();
  for (let number = 1; number <= 301; number++) log.add(anOrderCreated({ id: `evt_${number}` }), NOW);
  expect(log.list()).toHaveLength(300);
  expect([log.list()[0]?.event.id, log.list().at(-1)?.event.id]).toEqual(["evt_301", "evt_2"]);
});

test("tells listeners whose event came, until they stop listening", () => {
  const log = new EventLog();
  const heard: (string | null)[] = [];
  const stop = log.listen(
    (tenantId) => heard.push(tenantId),
    () => undefined,
  );
  log.add(anOrderCreated(), NOW);
  stop();
  log.add(anOrderCreated({ id: "evt_2" }), NOW);
  expect([heard, log.listeners]).toEqual([["northwind"], 0]);
});

test("calls a clock that runs ahead a latency of nothing", () => {
  const log = new EventLog();
  log.add(anOrderCreated({ timestamp: new Date(NOW.getTime() + 50).toISOString() }), NOW);
  expect(log.list()[0]?.latencyMs).toBe(0);
});
