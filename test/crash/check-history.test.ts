import { describe, expect, test } from "vitest";
import { checkHistory } from "./check-history.ts";
import type { EventFact, History, Receipt } from "./history.ts";

describe("the checker of histories", () => {
  test("finds nothing in an honest history", () => {
    expect(checkHistory(aHistory())).toEqual([]);
  });

  test("allows as many duplicates as kills could make", () => {
    const history = aHistory();
    const again = history.receipts.slice(0, 2);
    expect(rulesBroken({ receipts: [...history.receipts, ...again] })).toEqual([]);
  });

  test("allows an attempt that was under way when its endpoint was deleted", () => {
    expect(rulesBroken({ endpoints: [anEndpoint(1_500)] })).toEqual([]);
  });

  test("allows a retry to be overtaken, also where its first attempt never reached the receiver", () => {
    const overtaken = [aReceipt(2, 1_000), aReceipt(1, 2_000)];
    expect(rulesBroken({ endpoints: [{ ...anEndpoint(null), everFailed: true }], receipts: overtaken })).toEqual([]);
  });

  test.each([
    ["a webhook that was answered and lost", { stored: ["w1"] }, "accepted is stored"],
    ["work that nobody takes up again", { waiting: { arrivals: 0, "lane items": 3 } }, "nothing waits"],
    ["a doubled record", { records: [aRecord(), aRecord({ id: "r-other" })] }, "one record per object"],
    ["a record that is behind the store", { records: [aRecord({ content: "old" })] }, "records are the store's"],
    ["an object that never became a record", { records: [] }, "records are the store's"],
    ["a record of a deleted object", { store: [{ ...STORED, remoteId: "2" }] }, "records are the store's"],
    [
      "an event told twice under two ids",
      { events: [anEvent(1, 2), anEvent(2, 2), anEvent(3, 3)] },
      "every version told once",
    ],
    ["a skipped version", { records: [aRecord({ version: 4 })], events: [anEvent(1, 2), anEvent(2, 4)] }, VERSIONS],
    ["a last version that is never told", { records: [aRecord({ version: 4 })] }, VERSIONS],
    ["a first version that is never told", { records: [aRecord({ importedVersion: 0 })] }, VERSIONS],
    ["a change that is never told at all", { records: [aRecord()], events: [] }, VERSIONS],
    ["a gap in the feed", { events: [anEvent(1, 2), anEvent(3, 3)] }, "positions without gaps"],
    ["a position given twice", { events: [anEvent(1, 2), { ...anEvent(2, 3), position: 1 }] }, POSITIONS],
    ["an event that is not in the feed", { events: [{ ...anEvent(1, 2), position: null }, anEvent(1, 3)] }, POSITIONS],
    ["an undelivered event", { receipts: [aReceipt(1, 1_000)] }, "every event delivered"],
    [
      "an event that the receiver only ever refused",
      { receipts: [aReceipt(1, 1_000), { ...aReceipt(2, 2_000), ok: false }] },
      "every event delivered",
    ],
    ["versions in the wrong order", { receipts: [aReceipt(2, 1_000), aReceipt(1, 2_000)] }, ORDER],
    [
      "a body that changed between copies",
      { receipts: [...aHistory().receipts, { ...aReceipt(2, 3_000), bodyHash: "other" }] },
      "one body per event",
    ],
    [
      "a delivery to a deleted endpoint",
      { endpoints: [anEndpoint(1_500)], receipts: [aReceipt(1, 1_000), aReceipt(2, 9_000)] },
      "nothing to the deleted",
    ],
    [
      "a change that takes effect twice, under two ids",
      { receipts: [...aHistory().receipts, { ...aReceipt(2, 3_000), eventId: "evt-other" }] },
      "effects happen once",
    ],
    [
      "an event of a tenant that was erased",
      {
        erasedTenants: [{ tenant: "acme", erasedAtMs: 1_500 }],
        receipts: [aReceipt(1, 1_000), aReceipt(2, 9_000)],
      },
      "nothing to the deleted",
    ],
    ["a write of a process that lost its lease", { staleWrites: ["attempts by patchbay-1"] }, "no stale write"],
    ["a rest that never came", { drainedMs: null }, "drained in time"],
    ["a rest that came too late", { drainedMs: 60_001 }, "drained in time"],
    [
      "more duplicates than kills explain",
      { receipts: [...aHistory().receipts, aReceipt(1, 3_000), aReceipt(1, 4_000), aReceipt(1, 5_000)] },
      "few duplicates",
    ],
  ] as const)("catches %s", (_, planted, rule) => {
    expect(rulesBroken(planted)).toContain(rule);
  });
});

const VERSIONS = "every version told once";
const POSITIONS = "positions without gaps";
const ORDER = "first deliveries in order";
const STORED = { tenant: "acme", model: "order", remoteId: "1", content: "now" };

function rulesBroken(planted: Partial<History>): readonly string[] {
  return checkHistory({ ...aHistory(), ...planted }).map(({ rule }) => rule);
}

/** Two webhooks changed one imported order twice; one endpoint took both events. */
function aHistory(): History {
  return {
    accepted: ["w1", "w2"],
    stored: ["w1", "w2"],
    waiting: { arrivals: 0 },
    records: [aRecord()],
    store: [STORED],
    events: [anEvent(1, 2), anEvent(2, 3)],
    endpoints: [anEndpoint(null)],
    erasedTenants: [],
    receipts: [aReceipt(1, 1_000), aReceipt(2, 2_000)],
    staleWrites: [],
    drainedMs: 1_000,
    kills: 2,
    inFlightMax: 1,
  };
}

function aRecord(overrides: Partial<History["records"][number]> = {}) {
  return { id: "r1", ...STORED, version: 3, importedVersion: 1, deleted: false, ...overrides };
}

function anEvent(position: number, recordVersion: number): EventFact {
  return { id: `evt${position}`, position, recordId: "r1", recordVersion };
}

function anEndpoint(deletedAtMs: number | null) {
  return { id: "we1", sincePosition: 0, everFailed: false, deletedAtMs };
}

function aReceipt(event: number, atMs: number): Receipt {
  const told = { tenant: "acme", effect: `r1 version ${event + 1}`, bodyHash: `hash${event}` };
  return { endpointId: "we1", eventId: `evt${event}`, atMs, ok: true, ...told };
}
