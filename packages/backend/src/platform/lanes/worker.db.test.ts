import type { TenantUid, WorkspaceId } from "@patchbay/shared";
import { sql } from "drizzle-orm";
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../../../../test/harness/database.ts";
import { aLaneItem, untilBlocked } from "../../../../../test/harness/lane-items.ts";
import { waitFor } from "../../../../../test/harness/wait-for.ts";
import { openDatabase, type Database, type RoleDatabase, type Tx } from "../db/index.ts";
import { silentLogger } from "../observability/index.ts";
import { systemClock } from "../runtime/index.ts";
import { createLaneWorker, createWake, enqueue, submit, type ClaimedLane, type NewItem } from "./index.ts";

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

describe("lanes with workers", () => {
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
          placed.promise.then(() => untilBlocked(fixture, 1)).then(commit.resolve),
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

/** Runs two workers until `count` items were settled; gives their ids in order. */
async function runWorker(
  work: (lane: ClaimedLane, tx: Tx) => Promise<void>,
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
