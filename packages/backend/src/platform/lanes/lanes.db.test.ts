import type { TenantUid, WorkspaceId } from "@patchbay/shared";
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../../../../test/harness/database.ts";
import { aLaneItem, untilBlocked } from "../../../../../test/harness/lane-items.ts";
import { openDatabase, type Database, type RoleDatabase, type Tx } from "../db/index.ts";
import { claimLanes, LEASE_MS, type Lease } from "./claim.ts";
import { drainFeed } from "./enqueue.ts";
import { enqueue, submit, type NewItem } from "./index.ts";
import { releaseLanes } from "./release.ts";
import { endRest, fence, LeaseLost, restLane, settle } from "./settle.ts";

let fixture: TestDatabase;
let database: Database;
let worker: RoleDatabase;

beforeAll(async () => {
  fixture = await createTestDatabase();
  database = openDatabase(fixture.connection, 8);
  worker = database.as("patchbay_worker");
});
beforeEach(async () => {
  await fixture.sql`truncate queue.items, queue.lanes, queue.feed, queue.tenants`;
});
afterAll(async () => {
  await database.close();
  await fixture.drop();
});

const workspaceId = randomUUID() as WorkspaceId;

const anItem = (overrides: Partial<NewItem> = {}) => aLaneItem({ workspaceId, ...overrides });

const claim = (lanesMax = 10, now = new Date()) =>
  worker.withQueue((tx) => claimLanes(tx, { kind: "delivery", lanesMax, itemsPerLane: 10, now }));

const release = (tx: Tx, lease: Lease, now: Date) =>
  releaseLanes(tx, "delivery", [{ lease, limited: false }], { now, untouchedAt: now, busy: "wait" });

const in1Hour = new Date(Date.now() + 3_600_000);

/** Has all lanes that are ready rest. */
async function restUntil(until: Date): Promise<void> {
  for (const lane of await claim()) {
    await worker.withQueue(async (tx) => {
      await restLane(tx, lane, until);
      await release(tx, lane, new Date());
    });
  }
}

describe("lanes", () => {
  test("give a lane to one worker at a time", async () => {
    await worker.withQueue((tx) => enqueue(tx, [anItem()]));
    expect(await claim()).toHaveLength(1);
    expect(await claim()).toHaveLength(0);
  });

  test("give a lane whose lease ran out to another worker, and refuse the first one's writes", async () => {
    const item = anItem();
    await worker.withQueue((tx) => enqueue(tx, [item]));
    const [late] = await claim();
    const [next] = await claim(10, new Date(Date.now() + LEASE_MS + 1));
    expect(next?.items.map(({ id }) => id)).toEqual([item.id]);
    if (late === undefined) throw new Error("nothing claimed");
    await expect(
      worker.withQueue((tx) => settle(tx, [{ lease: late, outcomes: [{ id: item.id, outcome: "done" }] }])),
    ).rejects.toThrow(LeaseLost);
    await expect(worker.withQueue((tx) => fence(tx, late))).rejects.toThrow(LeaseLost);
  });

  test("are settled together or not at all when one of them went to another worker", async () => {
    const [kept, lost] = [anItem(), anItem()];
    await worker.withQueue((tx) => enqueue(tx, [kept, lost]));
    const leases = await claim();
    await fixture.sql`update queue.lanes set lease_token = ${randomUUID()} where lane_id = ${lost.laneId}`;
    const settlements = leases.map((lease) => ({
      lease,
      outcomes: lease.items.map(({ id }) => ({ id, outcome: "done" as const })),
    }));
    await expect(worker.withQueue((tx) => settle(tx, settlements))).rejects.toThrow(LeaseLost);
    expect(await fixture.sql`select id from queue.items`).toHaveLength(2);
  });

  test("are given back together, but for one that went to another worker", async () => {
    const [kept, lost] = [anItem(), anItem()];
    await worker.withQueue((tx) => enqueue(tx, [kept, lost]));
    const worked = (await claim()).map((lease) => ({ lease, limited: false }));
    await fixture.sql`update queue.lanes set lease_token = ${randomUUID()} where lane_id = ${lost.laneId}`;
    const now = new Date();
    await worker.withQueue((tx) => releaseLanes(tx, "delivery", worked, { now, untouchedAt: now, busy: "wait" }));
    expect(await fixture.sql`select lane_id from queue.lanes where lease_token is null`).toEqual([
      { lane_id: kept.laneId },
    ]);
    expect(await fixture.sql`select id from queue.items where attempts = 0`).toEqual([{ id: lost.id }]);
  });

  test("keep one item for the same id handed in twice, at the earlier time", async () => {
    const later = anItem({ runAt: new Date(Date.now() + 60_000) });
    await worker.withQueue((tx) => enqueue(tx, [later]));
    await worker.withQueue((tx) => enqueue(tx, [{ ...later, runAt: new Date(Date.now() - 5) }]));
    const [lease] = await claim();
    expect(lease?.items).toHaveLength(1);
    const [lane] = await fixture.sql`select pending from queue.lanes`;
    expect(lane).toEqual({ pending: 1 });
  });

  test("wake a lane that had nothing left when work comes again", async () => {
    const item = anItem();
    await worker.withQueue((tx) => enqueue(tx, [item]));
    const [lease] = await claim();
    if (lease === undefined) throw new Error("nothing claimed");
    await worker.withQueue(async (tx) => {
      await settle(tx, [{ lease, outcomes: [{ id: item.id, outcome: "done" }] }]);
      await release(tx, lease, new Date());
    });
    expect(await claim()).toHaveLength(0);
    await worker.withQueue((tx) => enqueue(tx, [{ ...item, id: randomUUID() }]));
    expect(await claim()).toHaveLength(1);
  });

  test("put a delayed item off until its time", async () => {
    const item = anItem();
    await worker.withQueue((tx) => enqueue(tx, [item]));
    const [lease] = await claim();
    if (lease === undefined) throw new Error("nothing claimed");
    await worker.withQueue(async (tx) => {
      await settle(tx, [{ lease, outcomes: [{ id: item.id, outcome: { at: new Date(Date.now() + 60_000) } }] }]);
      await release(tx, lease, new Date());
    });
    expect(await claim()).toHaveLength(0);
    const [again] = await claim(10, new Date(Date.now() + 61_000));
    expect(again?.items).toMatchObject([{ id: item.id, attempts: 1 }]);
  });

  test("rest until their time, whatever waits in them or comes, but for what is urgent", async () => {
    const [first, later, urgent] = [anItem(), anItem(), anItem({ urgent: true })];
    const here = { laneId: first.laneId, tenantUid: first.tenantUid };
    await worker.withQueue((tx) => enqueue(tx, [first]));
    await restUntil(in1Hour);
    await worker.withQueue((tx) => enqueue(tx, [{ ...later, ...here }]));
    expect(await claim()).toEqual([]);

    await worker.withQueue((tx) => submit(tx, [{ ...urgent, ...here }]));
    await worker.withQueue((tx) => drainFeed(tx));
    const [lane] = await claim();
    expect(lane?.items).toHaveLength(3);
    if (lane === undefined) throw new Error("nothing claimed");
    await worker.withQueue(async (tx) => {
      await settle(tx, [{ lease: lane, outcomes: [{ id: urgent.id, outcome: "done" }] }]);
      await restLane(tx, lane, in1Hour);
      await release(tx, lane, new Date());
    });
    expect(await claim()).toEqual([]);
    expect((await claim(10, in1Hour))[0]?.items.map(({ attempts }) => attempts)).toEqual([0, 0]);
  });

  test("rest no more once somebody ends it, whosever they are", async () => {
    const mine = anItem();
    const another = anItem({ laneId: mine.laneId });
    const elsewhere = anItem();
    await worker.withQueue((tx) => enqueue(tx, [mine, another, elsewhere]));
    await restUntil(in1Hour);
    await worker.withQueue((tx) => endRest(tx, { kind: "delivery", workspaceId, laneId: mine.laneId }, new Date()));
    expect((await claim()).map(({ key }) => key.laneId)).toEqual([mine.laneId, mine.laneId]);
  });

  test("let a tenant with one item pass a tenant with thousands", async () => {
    const heavy = randomUUID() as TenantUid;
    const light = randomUUID() as TenantUid;
    const backlog = Array.from({ length: 20 }, () => randomUUID()).flatMap((laneId) =>
      Array.from({ length: 100 }, () => anItem({ tenantUid: heavy, laneId, runAt: new Date(Date.now() - 60_000) })),
    );
    await worker.withQueue((tx) => enqueue(tx, backlog));
    for (const lease of await claim(3)) await worker.withQueue((tx) => release(tx, lease, new Date()));
    await worker.withQueue((tx) => enqueue(tx, [anItem({ tenantUid: light })]));
    const first = await claim(1);
    const second = await claim(1);
    expect([first[0]?.key.tenantUid, second[0]?.key.tenantUid]).toContain(light);
  });

  test("let other tenants in beside a tenant with more waiting lanes than one claim looks at", async () => {
    const heavy = randomUUID() as TenantUid;
    const light = randomUUID() as TenantUid;
    const runAt = new Date(Date.now() - 60_000);
    const backlog = Array.from({ length: 600 }, () => randomUUID()).flatMap((laneId) =>
      [0, 1].map(() => anItem({ tenantUid: heavy, laneId, runAt })),
    );
    await worker.withQueue((tx) => enqueue(tx, [...backlog, anItem({ tenantUid: light })]));
    const served: TenantUid[] = [];
    for (let turn = 0; turn < 3; turn++) {
      const now = new Date(Date.now() + turn);
      for (const lease of await claim(60, now)) {
        served.push(lease.key.tenantUid);
        await worker.withQueue((tx) => release(tx, lease, now));
      }
    }
    expect(served).toContain(light);
  });

  test("take the same id twice in one call as one item", async () => {
    const item = anItem();
    await worker.withQueue((tx) => enqueue(tx, [item, { ...item, runAt: new Date(Date.now() - 5_000) }]));
    const [lane] = await fixture.sql`select pending from queue.lanes`;
    expect(lane).toEqual({ pending: 1 });
  });

  test("let an item be handed in again while it is being settled, without a deadlock", async () => {
    const item = anItem();
    await worker.withQueue((tx) => enqueue(tx, [item]));
    const [lease] = await claim();
    if (lease === undefined) throw new Error("nothing claimed");
    let again: Promise<void> = Promise.resolve();
    await worker.withQueue(async (tx) => {
      await fence(tx, lease);
      again = worker.withQueue((other) => enqueue(other, [item]));
      await untilBlocked(fixture, 1);
      await settle(tx, [{ lease, outcomes: [{ id: item.id, outcome: "done" }] }]);
    });
    await again;
    const [lane] = await fixture.sql`select pending, (select count(*)::int from queue.items) as items from queue.lanes`;
    expect(lane).toEqual({ pending: 1, items: 1 });
  });
});
