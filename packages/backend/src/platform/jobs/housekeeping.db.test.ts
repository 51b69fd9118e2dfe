import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../../../../test/harness/database.ts";
import { waitFor } from "../../../../../test/harness/wait-for.ts";
import { createLogger } from "../observability/index.ts";
import { createHousekeeping } from "./index.ts";

let fixture: TestDatabase;

beforeAll(async () => {
  fixture = await createTestDatabase();
});
afterAll(() => fixture.drop());

test("works as the worker role, does chores that are due and tells of one that fails", async () => {
  const lines: string[] = [];
  let done = 0;
  const housekeeping = createHousekeeping({
    connection: fixture.connection,
    chores: [
      { name: "good", cron: "0 0 1 1 *", run: async () => void (done += 1) },
      {
        name: "bad",
        cron: "0 0 1 1 *",
        run: async () => {
          throw new Error("planted");
        },
      },
    ],
    log: createLogger("info", { write: (line) => lines.push(line) }),
  });
  await housekeeping.start();
  try {
    // As the clock would.
    await fixture.sql`insert into pgboss.job (name, retry_limit) values ('good', 0), ('bad', 0)`;
    await fixture.sql`
      select pg_notify('pgboss_' || left(encode(sha224('pgboss'::bytea), 'hex'), 24), name)
      from unnest(array['good', 'bad']) as name`;
    await waitFor(() => done === 1 && lines.some((line) => line.includes("chore failed")), {
      what: "both chores",
      timeoutMs: 20_000,
    });
  } finally {
    await housekeeping.stop();
  }
  const rows = await fixture.sql`select name, state::text from pgboss.job where name in ('good', 'bad') order by name`;
  expect([...rows]).toEqual([
    { name: "bad", state: "failed" },
    { name: "good", state: "completed" },
  ]);
  expect(lines.filter((line) => line.includes('"level":40'))).toEqual([]);
});
