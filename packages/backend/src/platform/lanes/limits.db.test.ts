import type { TenantUid, WorkspaceId } from "@patchbay/shared";
import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../../../../test/harness/database.ts";
import { waitFor } from "../../../../../test/harness/wait-for.ts";
import { openDatabase, type Database, type RoleDatabase } from "../db/index.ts";
import { claimLanes, type Lease } from "./claim.ts";
import { enqueue } from "./enqueue.ts";
import { pruneLanes } from "./prune-lanes.ts";
import { takeTurns, type LaneLimits } from "./limits.ts";
import { releaseLanes } from "./release.ts";

let fixture: TestDatabase;
let database: Database;
let worker: RoleDatabase;
beforeEach(async () => {
  fixture = await createTestDatabase();
  database = openDatabase(fixture.connection, 4);
  worker = database.as("patchbay_worker");
});
afterEach(async () => {
  await database.close();
  await fixture.drop();
});

const start = new Date();
const RELEASE = { now: start, untouchedAt: start, busy: "wait" } as const;
const after = (ms: number) => new Date(start.getTime() + ms);

test("turns are evenly spaced, and none is given twice", async () => {
  const [one, two] = await threeLanes();
  const limits = { perSecond: 20, atOnce: null };
  const first = await take(one, limits, 10, start);
  expect(first.map((turn) => turn.getTime() - start.getTime())).toEqual([0, 50, 100, 150, 200]);
  expect(await take(two, limits, 10, after(100))).toEqual([]);
  const [next] = await take(two, limits, 1, after(250));
  expect(next).toEqual(after(250));
});

test("lanes without a turn are not claimed before there is one; others are", async () => {
  const [one, two] = await threeLanes();
  await take(one, { perSecond: 1, atOnce: null }, 1, start);
  await giveBack(two);
  const other = await threeLanes();
  expect(other).toHaveLength(3);
  expect(await claim(after(500))).toEqual([]);
  expect(await claim(after(1_000))).toHaveLength(1);
});

test("no more lanes work at the same time than are allowed, and one that is given back makes room", async () => {
  const [one, two, three] = await threeLanes();
  const limits = { perSecond: null, atOnce: 2 };
  expect(await take(one, limits, 3, start)).toHaveLength(3);
  expect(await take(two, limits, 1, start)).toHaveLength(1);
  expect(await take(three, limits, 1, start)).toEqual([]);
  await giveBack(three);
  expect(await claim(after(100))).toEqual([]);
  await giveBack(one);
  const again = await claim(after(100));
  expect(again).toHaveLength(2);
  expect(await take(again[0], limits, 1, after(100))).toHaveLength(1);
  expect(await take(again[1], limits, 1, after(100))).toEqual([]);
});

test("a slot whose worker died is free when its lease is over", async () => {
  const [one, two] = await threeLanes();
  const limits = { perSecond: null, atOnce: 1 };
  expect(await take(one, limits, 1, start)).toHaveLength(1);
  expect(await take(two, limits, 1, start)).toEqual([]);
  const heirs = await claim(after(31_000));
  expect(heirs).toHaveLength(3);
  expect(await take(heirs[0], limits, 1, after(31_000))).toHaveLength(1);
});

test("a slot given back while another lane finds all taken is not lost", async () => {
  const [one, two, three] = await threeLanes();
  const limits = { perSecond: null, atOnce: 1 };
  await take(one, limits, 1, start);
  await giveBack(three);
  let released: Promise<void> = Promise.resolve();
  await worker.withQueue(async (tx) => {
    if (two === undefined) throw new Error("no such lane");
    expect(await takeTurns(tx, two, limits, 1, start)).toEqual([]);
    released = giveBack(one);
    await waitFor(async () => (await waiting()) === 1, { what: "the slot's lane to wait" });
  });
  await released;
  await giveBack(two);
  expect(await claim(after(100))).toHaveLength(3);
});

test("lanes of several ids are given back by two workers at once without a deadlock", async () => {
  const limits = { perSecond: null, atOnce: 3 };
  const [[a1, a2], [b1, b2]] = [await threeLanes(), await threeLanes()];
  const [one, two] = [
    [a1, b1],
    [b2, a2],
  ].map((leases) => leases.flatMap((lease) => (lease === undefined ? [] : [{ lease, limited: true }])));
  for (const lease of [a1, a2, b1, b2]) await take(lease, limits, 1, start);
  await fixture.sql`update queue.limits set full_until = ${after(60_000)}`;
  const both = await fixture.sql.begin(async (hand) => {
    await hand`select 1 from queue.limits for update`;
    const all = [one, two].map((lanes) => worker.withQueue((tx) => releaseLanes(tx, "delivery", lanes ?? [], RELEASE)));
    await waitFor(async () => (await waiting()) === 2, { what: "both to wait" });
    return { all: Promise.allSettled(all) };
  });
  expect((await both.all).map(({ status }) => status)).toEqual(["fulfilled", "fulfilled"]);
});

test("lanes without work for a day are forgotten with what belongs to them; others stay", async () => {
  const [one, two, three] = await threeLanes();
  await take(one, { perSecond: 1, atOnce: null }, 1, start);
  for (const lease of [one, two, three]) await giveBack(lease);
  expect(await pruneLanes(worker.withQueue, after(23 * 3_600_000))).toBe(0);
  const [lane] = [one?.key.tenantUid ?? null];
  await fixture.sql`delete from queue.items where tenant_uid <> ${lane}`;
  await fixture.sql`update queue.lanes set pending = 0 where tenant_uid <> ${lane}`;
  expect(await pruneLanes(worker.withQueue, after(25 * 3_600_000))).toBe(4);
  expect(await fixture.sql`select tenant_uid from queue.lanes`).toMatchObject([{ tenant_uid: lane }]);
  await fixture.sql`delete from queue.items`;
  await fixture.sql`update queue.lanes set pending = 0`;
  // The lane, its tenant's virtual time, the endpoint's limits.
  expect(await pruneLanes(worker.withQueue, after(25 * 3_600_000))).toBe(3);
});

/** Sessions that wait for a lock. */
async function waiting(): Promise<number> {
  const rows = await fixture.sql`
    select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
  return rows.length;
}

/** Of one endpoint, claimed. */
async function threeLanes(): Promise<readonly Lease[]> {
  const [workspaceId, laneId] = [randomUUID() as WorkspaceId, randomUUID()];
  const items = [1, 2, 3].map(() => ({
    kind: "delivery" as const,
    workspaceId,
    laneId,
    tenantUid: randomUUID() as TenantUid,
    id: randomUUID(),
    task: "deliver",
    runAt: after(-1_000),
  }));
  await worker.withQueue((tx) => enqueue(tx, items));
  const leases = await claim(start);
  expect(leases).toHaveLength(3);
  return leases;
}

function claim(now: Date): Promise<readonly Lease[]> {
  return worker.withQueue((tx) => claimLanes(tx, { kind: "delivery", lanesMax: 10, itemsPerLane: 5, now }));
}

function take(lease: Lease | undefined, limits: LaneLimits, wanted: number, now: Date) {
  if (lease === undefined) throw new Error("no such lane");
  return worker.withQueue((tx) => takeTurns(tx, lease, limits, wanted, now));
}

async function giveBack(lease: Lease | undefined): Promise<void> {
  if (lease === undefined) throw new Error("no such lane");
  await worker.withQueue((tx) => releaseLanes(tx, lease.key.kind, [{ lease, limited: true }], RELEASE));
}
