import { afterAll, beforeAll, expect, test } from "vitest";
import { createIngestWorld, type IngestWorld } from "../../../../../test/harness/ingest-world.ts";
import { waitFor } from "../../../../../test/harness/wait-for.ts";
import { grantRevived } from "./index.ts";

let world: IngestWorld;
beforeAll(async () => {
  world = await createIngestWorld({ orders: 2, products: 2, customers: 2 });
});
afterAll(() => world.close());

test("a connection can be written while its grant is in hand and waits for it", async () => {
  const { connectionId, workspaceId } = await world.connect();
  const [row] = await world.sql`select grant_id from connections where id = ${connectionId}`;
  const grant = { workspaceId, grantId: row?.["grant_id"] };
  let changing: Promise<void> = Promise.resolve();
  await world.sql.begin(async (tx) => {
    await tx`update connections set failed_runs = 1 where id = ${connectionId}`;
    const { app, vault, audit, clock, wake } = world.deps;
    changing = grantRevived({ withWorkspace: app.withWorkspace, vault, audit, clock, wake }, grant);
    await waitFor(
      async () => {
        const waiting = await tx`select 1 from pg_stat_activity where pg_backend_pid() = any(pg_blocking_pids(pid))`;
        return waiting.length > 0;
      },
      { what: "the change to wait for the row" },
    );
    // A row that this transaction has written before is held against the grant that it refers to.
    await tx`update connections set failed_runs = 2 where id = ${connectionId}`;
  });
  await changing;
  const [after] = await world.sql`select failed_runs from connections where id = ${connectionId}`;
  expect(after).toEqual({ failed_runs: 2 });
});
