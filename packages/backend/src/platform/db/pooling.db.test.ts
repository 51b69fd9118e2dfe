/**
 * Connections shared by everybody: PgBouncer in transaction mode gives each transaction whichever server connection is
 * free. Where it is not installed this is left out, and says so; CI installs it.
 *
 * `pnpm prove` sends 50,000 requests in place of the 2,000 here.
 */
import type { TenantUid, WorkspaceId } from "@patchbay/shared";
import { sql } from "drizzle-orm";
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openDatabase, type Database, type Tx } from "./index.ts";
import { createTestDatabase, type TestDatabase } from "../../../../../test/harness/database.ts";
import { findPgBouncer, startPgBouncer } from "../../../../../test/harness/pgbouncer.ts";
import { waitFor } from "../../../../../test/harness/wait-for.ts";

const program = await findPgBouncer();
if (program === null) process.stdout.write("T4: PgBouncer is not installed, its test is left out\n");

const REQUESTS = Number(process.env["PATCHBAY_TEST_REQUESTS"] ?? 2_000);
const WORKSPACES = 100;
const AT_ONCE = 16;
const POOL_SIZE = 2;
const CANCELED_SHARE = 0.05;
const KILLED_SHARE = 0.01;

describe.skipIf(program === null)("a pool of two server connections", () => {
  let fixture: TestDatabase;
  let database: Database;
  let pooler: Awaited<ReturnType<typeof startPgBouncer>>;
  const workspaces = Array.from({ length: WORKSPACES }, () => ({
    id: randomUUID() as WorkspaceId,
    tenants: [randomUUID() as TenantUid, randomUUID() as TenantUid] as const,
  }));
  beforeAll(async () => {
    fixture = await createTestDatabase();
    pooler = await startPgBouncer(program ?? "", fixture.connection, { poolSize: POOL_SIZE });
    database = openDatabase(pooler.connection, AT_ONCE);
    for (const { id, tenants } of workspaces) {
      for (const uid of tenants) {
        await fixture.sql`insert into tenants (workspace_id, uid, external_id, created_at, updated_at)
                          values (${id}, ${uid}, ${uid}, now(), now())`;
      }
    }
  });
  afterAll(async () => {
    await database.close();
    await pooler[Symbol.asyncDispose]();
    await fixture.drop();
  });

  test(
    `T4: shows none of ${WORKSPACES} workspaces another's rows, with requests canceled and servers killed in between`,
    { timeout: 900_000 },
    async () => {
      const app = database.as("patchbay_app");
      const count = { asked: 0, foreign: 0, canceled: 0, killed: 0, contextless: 0 };
      const failures: string[] = [];
      const servers = new Set<number>();

      async function request(number: number): Promise<void> {
        const workspace = workspaces[(number * 37) % WORKSPACES];
        if (workspace === undefined) throw new Error("no workspace");
        const [tenant] = workspace.tenants;
        const fate = (number * 0.618_033_988_75) % 1;
        const narrow = number % 3 === 0;
        const work = async (tx: Tx) => {
          const [server] = await tx.execute<{ pid: number }>(sql`select pg_backend_pid() as pid`);
          const pid = server?.pid ?? 0;
          servers.add(pid);
          await look(tx, workspace.id, narrow ? [tenant] : workspace.tenants);
          if (fate < KILLED_SHARE) {
            count.killed++;
            await fixture.sql`select pg_terminate_backend(${pid})`;
          } else if (fate < KILLED_SHARE + CANCELED_SHARE) {
            count.canceled++;
            if (number % 2 === 0) throw new Canceled();
            const sleeping = tx.execute(sql`select pg_sleep(5)`);
            await Promise.all([sleeping, cancel(pid)]);
          }
          await look(tx, workspace.id, narrow ? [tenant] : workspace.tenants);
        };
        const begin = narrow
          ? app.withTenant(workspace.id, tenant, work)
          : number % 101 === 0
            ? app.withQueue((tx) => tx.execute(sql`select from tenants`))
            : app.withWorkspace(workspace.id, work);
        await begin.catch((error: unknown) => {
          if (number % 101 === 0 && !narrow) count.contextless++;
          else if (fate >= KILLED_SHARE + CANCELED_SHARE) failures.push(String(error));
        });
        count.asked++;
      }

      async function look(tx: Tx, workspaceId: WorkspaceId, expected: readonly TenantUid[]): Promise<void> {
        // Without any condition: the policies alone decide.
        const rows = await tx.execute<{ workspace_id: string; uid: string }>(
          sql`update tenants set name = ${workspaceId} returning workspace_id, uid`,
        );
        const uids: readonly string[] = expected;
        count.foreign += rows.filter((row) => row.workspace_id !== workspaceId || !uids.includes(row.uid)).length;
        if (rows.length !== expected.length) failures.push(`${rows.length} rows in place of ${expected.length}`);
      }

      async function cancel(pid: number): Promise<void> {
        await waitFor(async () => {
          const [row] = await fixture.sql<{ done: boolean }[]>`
            select pg_cancel_backend(${pid}) as done from pg_stat_activity
            where pid = ${pid} and query like '%pg_sleep%' and state = 'active'`;
          return row?.done;
        });
      }

      let next = 0;
      await Promise.all(
        Array.from({ length: AT_ONCE }, async () => {
          while (next < REQUESTS) await request(next++);
        }),
      );
      process.stdout.write(`T4: ${JSON.stringify({ ...count, servers: servers.size, failed: failures.length })}\n`);
      expect(count.asked).toBe(REQUESTS);
      expect(count.foreign).toBe(0);
      // A transaction without a workspace is refused, whatever the connection was used for before.
      expect(count.contextless).toBeGreaterThan(REQUESTS / 200);
      expect(count.canceled).toBeGreaterThan(REQUESTS * CANCELED_SHARE * 0.8);
      expect(count.killed).toBeGreaterThan(REQUESTS * KILLED_SHARE * 0.8);
      expect(failures).toEqual([]);
      // What each workspace wrote landed in its own rows.
      const [row] = await fixture.sql<{ wrong: string }[]>`
        select count(*) as wrong from tenants where name is not null and name <> workspace_id::text`;
      expect(Number(row?.wrong)).toBe(0);
    },
  );
});

class Canceled extends Error {}

/** The driver as it is published lets a dead transaction go on in the next one's connection: `patches/postgres@3.4.9.patch`. */
test("T4: a transaction whose server is gone runs nothing in the transaction that got its connection", async () => {
  await using fixture = await createTestDatabase();
  const database = openDatabase(fixture.connection, 1);
  const app = database.as("patchbay_app");
  const [ours, theirs] = [randomUUID() as WorkspaceId, randomUUID() as WorkspaceId];
  const insert = (tx: Tx, workspaceId: WorkspaceId) =>
    tx.execute(sql`insert into tenants (workspace_id, uid, external_id, created_at, updated_at)
                   values (${workspaceId}, ${randomUUID()}, 'acme', now(), now())`);
  const seen = Promise.withResolvers<string>();
  const secondRuns = Promise.withResolvers<void>();
  const firstDone = Promise.withResolvers<void>();
  const first = app
    .withWorkspace(ours, async (tx) => {
      const [server] = await tx.execute<{ pid: number }>(sql`select pg_backend_pid() as pid`);
      await fixture.sql`select pg_terminate_backend(${server?.pid ?? 0})`;
      await secondRuns.promise;
      const rows = tx.execute(sql`select workspace_id from tenants`);
      seen.resolve(
        await rows.then(
          (each) => JSON.stringify([...each]),
          (error: unknown) => `refused: ${String((error as Error).cause ?? error)}`,
        ),
      );
      firstDone.resolve();
    })
    .catch((error: unknown) => error);
  const second = app.withWorkspace(theirs, async (tx) => {
    await insert(tx, theirs);
    secondRuns.resolve();
    await firstDone.promise;
    return (await tx.execute(sql`select workspace_id from tenants`)).length;
  });
  expect(await seen.promise).toContain("CONNECTION_CLOSED");
  expect(await first).toBeInstanceOf(Error);
  expect(await second).toBe(1);
  expect(await app.withWorkspace(theirs, (tx) => tx.execute(sql`select 1 from tenants`))).toHaveLength(1);
  await database.close();
});
