import { sql } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../../../../test/harness/database.ts";
import { startTcpProxy, type TcpProxy } from "../../../../../test/harness/tcp-proxy.ts";
import { waitFor } from "../../../../../test/harness/wait-for.ts";
import { openDatabase, type Database, type Tx } from "./index.ts";

let fixture: TestDatabase;
let wire: TcpProxy;
let database: Database;
beforeAll(async () => {
  fixture = await createTestDatabase();
});
afterAll(async () => {
  await fixture.drop();
});
beforeEach(async () => {
  const { host, port } = fixture.connection;
  wire = await startTcpProxy({ path: `${host}/.s.PGSQL.${port}` });
  database = openDatabase({ ...fixture.connection, host: "127.0.0.1", port: wire.port }, 1, { silentMsMax: SILENT_MS });
});
afterEach(async () => {
  await database.close();
  await wire.close();
});

const SILENT_MS = 400;
const LONG_SECONDS = 30;

const transaction = <Result>(work: (tx: Tx) => Promise<Result>) => database.as("patchbay_worker").withQueue(work);
const one = (tx: Tx) => tx.execute(sql`select 1 as one`);
const lost = { code: "CONNECTION_CLOSED" };

describe("a database connection that stays open and never answers", () => {
  test("fails what begins on it, and is replaced", async () => {
    await transaction(one);
    wire.strand();
    await expect(transaction(one)).rejects.toSatisfy(isLost);
    expect(await transaction(one)).toEqual([{ one: 1 }]);
  });

  test("fails a transaction whose statement is under way", async () => {
    const working = transaction((tx) => tx.execute(sql`select pg_sleep(${LONG_SECONDS})`));
    await waitFor(
      async () =>
        (
          await fixture.sql`
      select 1 from pg_stat_activity where query like '%pg_sleep(%' and state = 'active' and pid <> pg_backend_pid()`
        ).length > 0,
      {
        what: "the statement to run",
      },
    );
    wire.strand();
    await expect(working).rejects.toSatisfy(isLost);
    expect(await transaction(one)).toEqual([{ one: 1 }]);
  });

  test("fails a statement that nobody put into a transaction", async () => {
    await database.ping();
    wire.strand();
    await expect(database.ping()).rejects.toMatchObject(lost);
    await database.ping();
  });

  test("lets one work on that is slow and answers", async () => {
    const pids = await transaction(async (tx) => {
      const seen = new Set<unknown>();
      const endMs = performance.now() + 3 * SILENT_MS;
      while (performance.now() < endMs) {
        const [row] = await tx.execute<{ pid: number }>(sql`select pg_backend_pid() as pid, pg_sleep(0.1)`);
        seen.add(row?.pid);
      }
      return seen;
    });
    expect(pids.size).toBe(1);
  });
});

/** drizzle wraps what the driver throws. */
function isLost(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return ("code" in error && error.code === lost.code) || isLost(error.cause);
}
