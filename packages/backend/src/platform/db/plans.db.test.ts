import type { WorkspaceId } from "@patchbay/shared";
import { sql } from "drizzle-orm";
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../../../../test/harness/database.ts";
import { waitFor } from "../../../../../test/harness/wait-for.ts";
import { openDatabase, type Database } from "./database.ts";

const PASSED = 20_000;
/** Postgres would keep a general plan after five. */
const TIMES = 10;

let fixture: TestDatabase;
let database: Database;
beforeAll(async () => {
  fixture = await createTestDatabase();
  // One connection, so that all statements are prepared on the same.
  database = openDatabase(fixture.connection, 1);
});
afterAll(async () => {
  await database.close();
  await fixture.drop();
});

test("plans a statement anew each time, however often it has run, but where told to do it once", async () => {
  const { withWorkspace } = database.as("patchbay_worker");
  const { runAtOnce } = database.as("patchbay_ingest");
  const workspaceId = randomUUID() as WorkspaceId;
  for (let i = 0; i < TIMES; i++) {
    await withWorkspace(workspaceId, (tx) => tx.execute(sql`select id from events where id = ${randomUUID()}`));
    await runAtOnce(sql`insert into queue.arrivals (id, workspace_id, received_at, run_at)
                        values (${randomUUID()}, ${workspaceId}, now(), now())`);
    await withWorkspace(workspaceId, (tx) => tx.execute(sql`select id from records where id = ${randomUUID()}`), {
      planOnce: true,
    });
  }
  const plans = await withWorkspace(workspaceId, (tx) =>
    tx.execute<{ table: string; kept: number; made: number }>(sql`
      select substring(statement from 'events|arrivals|records') as "table", generic_plans::int as kept, custom_plans::int as made
      from pg_prepared_statements where statement ~ 'events|arrivals|records' order by 1`),
  );
  expect([...plans]).toEqual([
    { table: "arrivals", kept: TIMES, made: 0 },
    { table: "events", kept: 0, made: TIMES },
    { table: "records", kept: TIMES, made: 0 },
  ]);
});

test("what went through a queue is not read again by whoever looks for what waits", async () => {
  const { sql: admin } = fixture;
  await admin`create table line (id int primary key, place int, note text) with (autovacuum_enabled = off)`;
  await admin`create index line_waiting on line (id) where place is null`;
  await admin`grant select on line to patchbay_worker`;
  await admin`insert into line select n, null, repeat('x', 100) from generate_series(1, ${PASSED}) n order by md5(n::text)`;
  await admin`update line set place = id where id % 400 <> 0`;
  await admin`analyze line`;
  const look = () =>
    database.as("patchbay_worker").withQueue(async (tx) => {
      const rows = await tx.execute<{ "QUERY PLAN": readonly Explained[] }>(
        sql`explain (analyze, buffers, format json) select id from line where place is null order by id limit 500`,
      );
      const [explained] = rows[0]?.["QUERY PLAN"] ?? [];
      return (explained?.Plan["Shared Hit Blocks"] ?? 0) + (explained?.Plan["Shared Read Blocks"] ?? 0);
    });
  expect(await look()).toBeGreaterThan(400);
  // Entries count as dead once no snapshot is left that could see them: an analysis of another table may hold one.
  await waitFor(async () => (await look()) < 200, { what: "a look that passes over what is dead" });
});

interface Explained {
  readonly Plan: { readonly "Shared Hit Blocks": number; readonly "Shared Read Blocks": number };
}
