import { sql } from "drizzle-orm";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../../../../test/harness/database.ts";
import { openDatabase, type Database } from "./database.ts";
import {
  dropOldInboxPartitions,
  ensureInboxPartitions,
  inboxPartitionHealth,
  openInboxDays,
  partitionWarnings,
} from "./partitions.ts";

const DAY_MS = 86_400_000;
const RETENTION_DAYS = 30;

let testDatabase: TestDatabase;
let database: Database;
beforeEach(async () => {
  testDatabase = await createTestDatabase();
  database = openDatabase(testDatabase.connection, 4);
});
afterEach(async () => {
  await database.close();
  await testDatabase.drop();
});

describe("partitions of the inbox", () => {
  test("are there for two weeks ahead, by our clock and by the database's, each made once", async () => {
    await Promise.all([0, 0, 100, -100].map((days) => ensureInboxPartitions(at(days))));
    const names = await partitions();
    for (const days of [-1, 0, 14, 99, 100, 114, -101, -100, -86]) expect(names).toContain(nameOf(days));
    expect(new Set(names).size).toBe(names.length);
  });

  test("have the inbox's key and enforce row-level security, with no policy of their own, and there is no default", async () => {
    await ensureInboxPartitions(at(0));
    const rows = await testDatabase.sql`
      select c.relrowsecurity and c.relforcerowsecurity as forced, pg_get_userbyid(c.relowner) as owner,
             (select count(*)::int from pg_policy p where p.polrelid = c.oid) as policies,
             (select count(*)::int from pg_index i where i.indrelid = c.oid and i.indisprimary) as keys,
             pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT' as is_default
      from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = 'inbox'::regclass`;
    expect(rows.length).toBeGreaterThanOrEqual(16);
    expect(new Set(rows.map((row) => JSON.stringify(row)))).toEqual(
      new Set(['{"forced":true,"owner":"patchbay_owner","policies":0,"keys":1,"is_default":false}']),
    );
  });

  test("are made while deliveries come in: nobody waits for the lock", async () => {
    await ensureInboxPartitions(at(0));
    const writing = testDatabase.sql.begin(async (tx) => {
      await tx`lock table inbox in row exclusive mode`;
      // On another connection, while the row lock of a delivery is held.
      await openInboxDays(at(0), [new Date(Date.now() + 200 * DAY_MS)]);
    });
    await writing;
    expect(await partitions()).toContain(nameOf(200));
  });

  test("are dropped once their retention is over, whole, and no sooner than after seven days", async () => {
    await openInboxDays(at(0), [-40, -32, -31, -30, -8, -7, -6].map(daysFromNow));
    expect(await dropOldInboxPartitions(at(0), RETENTION_DAYS)).toBe(3);
    expect(await partitions()).toContain(nameOf(-30));
    expect(await dropOldInboxPartitions(at(0), 1)).toBe(2);
    expect(await partitions()).toEqual(expect.arrayContaining([nameOf(-7), nameOf(-6)]));
  });

  test("outlive a clock that jumps ahead: what one clock calls old, the other must call old too", async () => {
    await openInboxDays(at(0), [-6, -1, 0].map(daysFromNow));
    expect(await dropOldInboxPartitions(at(400), RETENTION_DAYS)).toBe(0);
  });

  test("are dropped another time while somebody reads them for long: deliveries do not wait behind it", async () => {
    await openInboxDays(at(0), [daysFromNow(-40)]);
    await testDatabase.sql.begin(async (tx) => {
      await tx`select count(*) from inbox`;
      await expect(dropOldInboxPartitions(at(0), RETENTION_DAYS)).rejects.toThrow();
    });
    expect(await dropOldInboxPartitions(at(0), RETENTION_DAYS)).toBe(1);
  });

  test("can be opened and dropped by maintenance, which can do nothing else", async () => {
    const { withQueue } = database.as("patchbay_maintenance");
    for (const statement of [
      `select count(*) from ${nameOf(0)}`,
      "select count(*) from queue.workspaces",
      `drop table ${nameOf(0)}`,
      `alter table inbox detach partition ${nameOf(0)}`,
      "alter table inbox no force row level security",
      "create table news (id int)",
      "create function app.news() returns int language sql as 'select 1'",
    ]) {
      await expect(
        withQueue((tx) => tx.execute(sql.raw(statement))),
        statement,
      ).rejects.toMatchObject({ cause: { code: "42501" } });
    }
  });

  test("stay for seven days whatever maintenance asks for", async () => {
    await openInboxDays(at(0), [-8, -7, 0].map(daysFromNow));
    const drop = (days: number) =>
      database.as("patchbay_maintenance").withQueue(async (tx) => {
        const day = daysFromNow(days).toISOString().slice(0, 10);
        const [row] = await tx.execute<{ dropped: boolean }>(sql`select app.drop_inbox_day(${day}::date) as dropped`);
        return row?.dropped;
      });
    await expect(drop(-7)).rejects.toMatchObject({ cause: { code: "42501" } });
    await expect(drop(0)).rejects.toMatchObject({ cause: { code: "42501" } });
    expect(await drop(-8)).toBe(true);
    expect(await drop(-8)).toBe(false);
  });

  test("can be dropped by nobody whom requests run as", async () => {
    for (const role of ["patchbay_app", "patchbay_worker", "patchbay_ingest"] as const) {
      const { withQueue } = database.as(role);
      const table = sql.identifier(nameOf(0));
      await expect(withQueue((tx) => tx.execute(sql`drop table ${table}`))).rejects.toThrow();
      await expect(ensureInboxPartitions({ ...at(300), asMaintenance: withQueue })).rejects.toThrow();
      await expect(withQueue((tx) => tx.execute(sql`select app.drop_inbox_day('2020-01-01')`))).rejects.toThrow();
    }
  });
});

describe("the health of partitions", () => {
  test("is well after the job ran", async () => {
    await ensureInboxPartitions(at(0));
    const health = await healthAt(0);
    expect(health).toEqual({ daysAhead: 14, overdue: 0 });
    expect(partitionWarnings(health)).toEqual([]);
  });

  test("warns when fewer than three days lie ahead", async () => {
    await ensureInboxPartitions(at(0));
    expect(partitionWarnings(await healthAt(11))).toEqual([]);
    expect(partitionWarnings(await healthAt(12))).toEqual([expect.stringContaining("2 days ahead")]);
    expect(await healthAt(15)).toMatchObject({ daysAhead: -1 });
  });

  test("counts days in a row: a hole is the end", async () => {
    await ensureInboxPartitions(at(0));
    await testDatabase.sql.unsafe(`drop table ${nameOf(2)}`);
    expect(await healthAt(0)).toMatchObject({ daysAhead: 1 });
  });

  test("warns when nothing was dropped a day after it was due", async () => {
    await openInboxDays(at(0), [-31, -32].map(daysFromNow));
    const health = await healthAt(0);
    expect(health.overdue).toBe(1);
    expect(partitionWarnings(health)).toEqual([expect.stringContaining("not dropped")]);
    await dropOldInboxPartitions(at(0), RETENTION_DAYS);
    expect(await healthAt(0)).toMatchObject({ overdue: 0 });
  });

  function healthAt(days: number) {
    const { withQueue } = database.as("patchbay_worker");
    return inboxPartitionHealth({ withQueue, clock: at(days).clock }, RETENTION_DAYS);
  }
});

/** As if our clock were so many days ahead. */
function at(days: number) {
  return { asMaintenance: database.as("patchbay_maintenance").withQueue, clock: { now: () => daysFromNow(days) } };
}

function daysFromNow(days: number): Date {
  return new Date(Date.now() + days * DAY_MS);
}

function nameOf(days: number): string {
  return `inbox_${daysFromNow(days).toISOString().slice(0, 10).replaceAll("-", "")}`;
}

async function partitions(): Promise<string[]> {
  const rows = await testDatabase.sql`
    select inhrelid::regclass::text as name from pg_inherits where inhparent = 'inbox'::regclass`;
  return rows.map((row) => String(row["name"]));
}
