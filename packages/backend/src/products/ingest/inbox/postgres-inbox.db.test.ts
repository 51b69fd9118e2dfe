import type { InboxId } from "@patchbay/shared";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../../../../../test/harness/database.ts";
import { startEmbeddedPostgres, type EmbeddedPostgres } from "../../../platform/db/embedded/index.ts";
import {
  LOGIN_ROLE,
  ensureInboxPartitions,
  migrate,
  openDatabase,
  openInboxDays,
  type Database,
  type RoleDatabase,
} from "../../../platform/db/index.ts";
import { silentLogger } from "../../../platform/observability/index.ts";
import { systemClock } from "../../../platform/runtime/index.ts";
import { createPostgresInbox } from "./postgres-inbox.ts";
import { aRow, inboxContract, inboxStoreContract } from "./testing/inbox-contract.ts";

let testDatabase: TestDatabase;
const databases: Database[] = [];
let current: Database | null = null;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  await ensureInboxPartitions({ asMaintenance: database().as("patchbay_maintenance").withQueue, clock: systemClock });
});
afterAll(async () => {
  for (const each of databases) await each.close();
  await testDatabase.drop();
});

describe("the inbox in Postgres", () => {
  inboxContract(() => ({
    open: () => open(database()),
    async stall() {
      const { sql } = testDatabase;
      const held = Promise.withResolvers<void>();
      const released = Promise.withResolvers<void>();
      const holding = sql.begin(async (tx) => {
        await tx`lock table queue.arrivals in share mode`;
        held.resolve();
        await released.promise;
      });
      await held.promise;
      return async () => {
        released.resolve();
        await holding;
      };
    },
    async crash() {
      current = null;
      await testDatabase.sql`
        select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and application_name = 'patchbay'`;
    },
    async stored(ids) {
      const rows = await testDatabase.sql<{ id: InboxId }[]>`select id from inbox where id = any(${[...ids]})`;
      return rows.map((row) => row.id);
    },
  }));

  test("a day without a partition gets one from the maintenance, and only then", async () => {
    const opened: string[] = [];
    const counted = open(database(), async (instants) => {
      opened.push(...instants.map((instant) => instant.toISOString().slice(0, 10)));
      await openInboxDays({ asMaintenance: database().as("patchbay_maintenance").withQueue }, instants);
    });
    await counted.port.append(aRow());
    expect(opened).toEqual([]);
    const far = new Date(Date.UTC(2040, 1, 2));
    await counted.port.append(aRow({}, far));
    await counted.port.append(aRow({}, far));
    expect(opened).toEqual(["2040-02-02"]);
  });

  test("is shut with a time to come back while the day cannot be opened", async () => {
    const shut = open(database(), () => Promise.reject(new Error("no rights")));
    const row = aRow({}, new Date(Date.UTC(2041, 1, 2)));
    await expect(shut.port.append(row)).rejects.toMatchObject({ code: "overloaded", retryAfterSeconds: 5 });
  });
});

describe("the inbox in a Postgres of its own", () => {
  let dataDir: string;
  let server: EmbeddedPostgres;
  let admin: postgres.Sql;
  let pools: Database[];

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "patchbay-inbox-"));
    pools = [];
    await start();
    const { adminConnection: connection, loginPassword } = server;
    await migrate({ connection, loginPassword, log: silentLogger });
  });
  afterAll(async () => {
    for (const pool of pools) await pool.close();
    await admin.end({ timeout: 1 });
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  });

  inboxStoreContract(() => ({
    open() {
      const login = { user: LOGIN_ROLE, password: server.loginPassword };
      const pool = openDatabase({ ...server.adminConnection, ...login }, 4);
      pools.push(pool);
      return open(pool);
    },
    async kill() {
      const processes = await admin<{ pid: number }[]>`select pid from pg_stat_activity`;
      for (const pid of [server.pid, ...processes.map((each) => each.pid)]) process.kill(pid, "SIGKILL");
      await admin.end({ timeout: 0 });
      await server.stop();
      await start();
    },
    async stored(ids) {
      const rows = await admin<{ id: InboxId }[]>`select id from inbox where id = any(${[...ids]})`;
      return rows.map((row) => row.id);
    },
  }));

  /** With nothing held back: what it says is on disk is handed to the operating system. */
  async function start() {
    server = await startEmbeddedPostgres({ dataDir, log: silentLogger, fsync: true });
    admin = postgres({ ...server.adminConnection, max: 1, onnotice: () => {} });
  }
});

/** One pool is enough for all that are opened and do not die. */
function database(): Database {
  current ??= openDatabase(testDatabase.connection, 6);
  if (!databases.includes(current)) databases.push(current);
  return current;
}

function open(from: Database, openDays?: (instants: readonly Date[]) => Promise<void>) {
  const worker: RoleDatabase = from.as("patchbay_worker");
  const asMaintenance = from.as("patchbay_maintenance").withQueue;
  const port = createPostgresInbox({
    worker,
    ingest: from.as("patchbay_ingest"),
    clock: systemClock,
    wake: { poke: () => {}, on: () => () => {}, hearing: () => true },
    openInboxDays: openDays ?? ((instants) => openInboxDays({ asMaintenance }, instants)),
  });
  return { port, withWorkspace: worker.withWorkspace };
}
