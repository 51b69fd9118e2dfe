import type { TenantUid, WorkspaceId } from "@patchbay/shared";
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../../../../test/harness/database.ts";
import { followDatabaseClock, openDatabase, type Database } from "../db/index.ts";
import { silentLogger } from "../observability/index.ts";
import { claimLanes } from "./claim.ts";
import { enqueue } from "./enqueue.ts";

let fixture: TestDatabase;
let database: Database;
beforeAll(async () => {
  fixture = await createTestDatabase();
  database = openDatabase(fixture.connection, 2);
});
afterAll(async () => {
  await database.close();
  await fixture.drop();
});

const HOUR_MS = 3_600_000;
const LEASE_MS = 30_000;
const DUE_IN_MS = 60_000;

test.each([HOUR_MS, -HOUR_MS])(
  "a process whose wall clock jumps by %i ms moves no lease and no due time",
  async (jumpMs) => {
    let offMs = 0;
    const own = { monotonicMs: () => performance.now(), wall: { now: () => new Date(Date.now() + offMs) } };
    const clock = await followDatabaseClock({ database, log: silentLogger, own, syncEveryMs: 0 });
    const worker = database.as("patchbay_worker");
    await fixture.sql`truncate queue.items, queue.lanes`;
    const anItem = (runAt: Date) => ({
      kind: "delivery" as const,
      workspaceId: randomUUID() as WorkspaceId,
      tenantUid: randomUUID() as TenantUid,
      laneId: randomUUID(),
      id: randomUUID(),
      task: "deliver",
      runAt,
    });
    const due = anItem(new Date(clock.now().getTime() - DUE_IN_MS));
    await worker.withQueue((tx) => enqueue(tx, [due, anItem(new Date(clock.now().getTime() + DUE_IN_MS))]));

    offMs = jumpMs;
    await clock.sync();
    const leases = await worker.withQueue((tx) =>
      claimLanes(tx, { kind: "delivery", lanesMax: 10, itemsPerLane: 10, leaseMs: LEASE_MS, now: clock.now() }),
    );
    expect(leases.map(({ key }) => key.laneId)).toEqual([due.laneId]);
    const [held] = await fixture.sql<{ left: number }[]>`
    select (extract(epoch from lease_until - clock_timestamp()) * 1000)::float as left
    from queue.lanes where lease_token is not null`;
    expect(held?.left).toBeGreaterThan(0);
    expect(held?.left).toBeLessThanOrEqual(LEASE_MS + 1_000);
  },
);
