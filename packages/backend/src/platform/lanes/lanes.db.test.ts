import type { TenantUid, WorkspaceId } from "@patchbay/shared";
import { sql } from "drizzle-orm";
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../../../../test/harness/database.ts";
import { waitFor } from "../../../../../test/harness/wait-for.ts";
import { openDatabase, type Database, type RoleDatabase, type Tx } from "../db/index.ts";
import { silentLogger } from "../observability/index.ts";
import { systemClock } from "../runtime/index.ts";
import { claimLanes, LEASE_MS, type Lease } from "./claim.ts";
import { drainFeed } from "./enqueue.ts";
import { createLaneWorker, createWake, enqueue, submit, type ClaimedLane, type NewItem } from "./index.ts";
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

function anItem(overrides: Partial<NewItem> = {}): NewItem {
  return {
    kind: "delivery",
    workspaceId,
    tenantUid: randomUUID() as TenantUid,
    laneId: randomUUID(),
    id: randomUUID(),
    task: "deliver",
    runAt: new Date(Date.now() - 1_000),
    ...overrides,
  };
}

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

  test("that another transaction has in hand keep no others waiting, and are given back after it", async () => {
    const [first, second] = [anItem(), anItem()];
    await worker.withQueue((tx) => enqueue(tx, [first]));
    let letGo = async () => {};
    const lanes = createLaneWorker({
      database: worker,
      kind: "delivery",
      lanesMax: 4,
      itemsPerLane: 10,
      clock: systemClock,
      wake: await createWake({ log: silentLogger, database: null }),
      log: silentLogger,
      handle: async (lane) => {
        const outcomes = lane.items.map(({ id }) => ({ id, outcome: "done" as const }));
        await worker.withQueue((tx) => lane.settle(tx, outcomes));
        if (lane.key.laneId === first.laneId) letGo = await lockLane(first.laneId);
      },
    });
    lanes.start();
    await waitFor(async () => (await leased(first.laneId)) && !(await waits(first.laneId)), {
      what: "the first to be worked",
    });
    await worker.withQueue((tx) => enqueue(tx, [second]));
    await waitFor(async () => !(await leased(second.laneId)) && !(await waits(second.laneId)), {
      what: "the second to be worked and given back",
    });
    expect(await leased(first.laneId)).toBe(true);
    await letGo();
    await waitFor(async () => !(await leased(first.laneId)), { what: "the first to be given back" });
    await lanes.stop();
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

  test("take what the app role hands in, which may not read the queue", async () => {
    const item = anItem();
    const app = database.as("patchbay_app");
    await app.withWorkspace(workspaceId, (tx) => submit(tx, [item]));
    await expect(app.withQueue((tx) => tx.execute("select * from queue.lanes"))).rejects.toThrow();
    const seen = await runWorker(async (lane, tx) => {
      await lane.settle(
        tx,
        lane.items.map(({ id }) => ({ id, outcome: "done" as const })),
      );
    }, 1);
    expect(seen).toEqual([item.id]);
  });

  test("work every item once with several workers", async () => {
    const items = Array.from({ length: 300 }, (_, index) =>
      anItem({ laneId: LANES[index % 12] ?? "", tenantUid: TENANTS[index % 3] ?? anItem().tenantUid }),
    );
    await worker.withQueue((tx) => enqueue(tx, items));
    const seen = await runWorker(async (lane, tx) => {
      await lane.settle(
        tx,
        lane.items.map(({ id }) => ({ id, outcome: "done" as const })),
      );
    }, items.length);
    expect(seen.toSorted()).toEqual(items.map(({ id }) => id).toSorted());
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
      await untilBlocked(1);
      await settle(tx, [{ lease, outcomes: [{ id: item.id, outcome: "done" }] }]);
    });
    await again;
    const [lane] = await fixture.sql`select pending, (select count(*)::int from queue.items) as items from queue.lanes`;
    expect(lane).toEqual({ pending: 1, items: 1 });
  });

  test("do not put a lane to sleep whose last item was settled while the next was being handed in", async () => {
    const first = anItem();
    const next = { ...first, id: randomUUID() };
    await worker.withQueue((tx) => enqueue(tx, [first]));
    const commit = Promise.withResolvers<void>();
    const handedIn: Promise<void>[] = [];
    const seen = await runWorker(
      async (lane, tx) => {
        await lane.settle(
          tx,
          lane.items.map(({ id }) => ({ id, outcome: "done" as const })),
        );
      },
      2,
      async () => {
        if (handedIn.length > 0) return;
        const placed = Promise.withResolvers<void>();
        handedIn.push(
          worker.withQueue(async (other) => {
            await enqueue(other, [next]);
            placed.resolve();
            await commit.promise;
          }),
          // Commits only when the lane is being given back.
          placed.promise.then(() => untilBlocked(1)).then(commit.resolve),
        );
        await placed.promise;
      },
    );
    await Promise.all(handedIn);
    expect(seen).toEqual([first.id, next.id]);
  });

  test("put off what a handler settled in a transaction that was rolled back", async () => {
    const item = anItem();
    await worker.withQueue((tx) => enqueue(tx, [item]));
    const attempts: number[] = [];
    await runWorker(async (lane, tx) => {
      attempts.push(...lane.items.map((each) => each.attempts));
      await lane.settle(
        tx,
        lane.items.map(({ id }) => ({ id, outcome: "done" as const })),
      );
      if (attempts.length === 1) throw new Error("planted");
    }, 1);
    expect(attempts).toEqual([0, 1]);
  });

  test("bring items again that a failing handler left", async () => {
    const item = anItem();
    await worker.withQueue((tx) => enqueue(tx, [item]));
    let tries = 0;
    const seen = await runWorker(async (lane, tx) => {
      tries += 1;
      if (tries === 1) throw new Error("planted");
      await lane.settle(
        tx,
        lane.items.map(({ id }) => ({ id, outcome: "done" as const })),
      );
    }, 1);
    expect(seen).toEqual([item.id]);
    expect(tries).toBe(2);
  });
});

const LANES = Array.from({ length: 12 }, () => randomUUID());
const TENANTS = Array.from({ length: 3 }, () => randomUUID() as TenantUid);

/** Waits until `count` transactions of this database wait for a lock. */
async function untilBlocked(count: number): Promise<void> {
  await waitFor(
    async () => {
      const rows = await fixture.sql`
        select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
      return rows.length >= count;
    },
    { what: "a transaction that waits" },
  );
}

/** Runs two workers until `count` items were settled; gives their ids in order. */
/** Whether a worker holds the lane. */
async function leased(laneId: string): Promise<boolean> {
  const rows = await fixture.sql`select 1 from queue.lanes where lane_id = ${laneId} and lease_token is not null`;
  return rows.length > 0;
}

async function waits(laneId: string): Promise<boolean> {
  return (await fixture.sql`select 1 from queue.items where lane_id = ${laneId}`).length > 0;
}

/** @returns what ends the transaction that has the lane's row */
async function lockLane(laneId: string): Promise<() => Promise<void>> {
  const [locked, over] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const done = worker.withQueue(async (tx) => {
    await tx.execute(sql`select 1 from queue.lanes where lane_id = ${laneId} for update`);
    locked.resolve();
    await over.promise;
  });
  await locked.promise;
  return async () => {
    over.resolve();
    await done;
  };
}

async function runWorker(
  work: (lane: ClaimedLane, tx: Parameters<Parameters<RoleDatabase["withQueue"]>[0]>[0]) => Promise<void>,
  count: number,
  afterCommit: () => Promise<void> = async () => {},
): Promise<string[]> {
  const seen: string[] = [];
  const wake = await createWake({ log: silentLogger, database: null });
  const workers = [0, 1].map(() =>
    createLaneWorker({
      database: worker,
      kind: "delivery",
      lanesMax: 4,
      itemsPerLane: 10,
      clock: systemClock,
      wake,
      log: silentLogger,
      handle: async (lane) => {
        await worker.withQueue((tx) => work(lane, tx));
        seen.push(...lane.items.map(({ id }) => id));
        await afterCommit();
      },
    }),
  );
  for (const each of workers) each.start();
  await waitFor(() => seen.length >= count, { what: "all items" });
  await Promise.all(workers.map((each) => each.stop()));
  return seen;
}
