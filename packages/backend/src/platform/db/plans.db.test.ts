import type { WorkspaceId } from "@patchbay/shared";
import { sql } from "drizzle-orm";
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../../../../test/harness/database.ts";
import { openDatabase, type Database } from "./database.ts";

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

test("plans a statement anew each time, however often it has run", async () => {
  const { withWorkspace, runAtOnce } = database.as("patchbay_worker");
  const workspaceId = randomUUID() as WorkspaceId;
  for (let i = 0; i < TIMES; i++) {
    await withWorkspace(workspaceId, (tx) => tx.execute(sql`select id from events where id = ${randomUUID()}`));
    await runAtOnce(sql`update queue.lanes set pending = 0 where lane_id = ${randomUUID()}`);
  }
  const plans = await withWorkspace(workspaceId, (tx) =>
    tx.execute<{ table: string; kept: number; made: number }>(sql`
      select substring(statement from 'events|lanes') as "table", generic_plans::int as kept, custom_plans::int as made
      from pg_prepared_statements where statement ~ 'events|lanes' order by 1`),
  );
  expect([...plans]).toEqual([
    { table: "events", kept: 0, made: TIMES },
    { table: "lanes", kept: 0, made: TIMES },
  ]);
});
