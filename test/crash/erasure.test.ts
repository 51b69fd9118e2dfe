import { decodeId } from "@patchbay/shared";
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { aConnection, type ConnectionFixture } from "../harness/builders.ts";
import { startTestProduct, type TestProduct, type TestWorkspace } from "../harness/product.ts";
import { waitFor } from "../harness/wait-for.ts";
import { rowsNaming } from "../security/tenant-rows.ts";
import { startServer, type Child } from "./child.ts";
import { LEASE } from "./crash-world.ts";

const RECORDS = 20_000;
const EVENTS = 6_000;
const TEST_MS_MAX = 90_000;

let ground: TestProduct;
let child: Child;
let workspace: TestWorkspace;
beforeAll(async () => {
  // Only a way to make workspaces: what is killed is a process of its own on the same database.
  ground = await startTestProduct({ roles: { api: false, worker: false }, env: LEASE });
  child = await startServer(ground.env);
  workspace = await ground.addWorkspace();
});
afterAll(async () => {
  await child.stop();
  await ground.close();
});

test(
  "T8: an erasure whose process is killed with -9 twice goes on, and counts every row once",
  { timeout: TEST_MS_MAX },
  async () => {
    const { sql } = ground.database;
    const connection = await aFilledTenant();
    const neighbour = await aFilledTenant(100, 100);
    const { id } = await workspace.sdk.tenants.delete(connection.tenantExternalId);
    // In the middle of its events, and in the middle of its records.
    for (const table of ["events", "records"]) {
      await waitFor(async () => (await removed(id, table)) > 0, { what: `some ${table} to be removed`, intervalMs: 5 });
      await child.kill();
      const done = (await removed(id, table)) ?? 0;
      expect(done, table).toBeLessThan(table === "events" ? EVENTS : RECORDS);
      child = await startServer(ground.env);
    }
    const erasure = await waitFor(
      async () => {
        const now = await workspace.sdk.erasures.retrieve(id);
        return now.status === "completed" ? now : null;
      },
      { timeoutMs: TEST_MS_MAX, what: "the erasure" },
    );
    expect(erasure.rowsRemoved).toMatchObject({ events: EVENTS, records: RECORDS, connections: 1 });
    expect(await rowsNaming(sql, [connection.tenantUid, connection.connectionId])).toEqual([]);
    const [left] = await sql<{ records: number; events: number }[]>`
    select (select count(*)::int from records where tenant_uid = ${neighbour.tenantUid}) as records,
           (select count(*)::int from events where tenant_uid = ${neighbour.tenantUid}) as events`;
    expect(left).toEqual({ records: 100, events: 100 });
  },
);

async function removed(id: string, table: string): Promise<number> {
  const [row] = await ground.database.sql<{ count: number | null }[]>`
    select (rows_removed->>${table})::int as count from erasures where id = ${decodeId("era", id) ?? ""}`;
  return row?.count ?? 0;
}

/** A tenant with much to remove, put in by the superuser: nobody reads it before it goes. */
async function aFilledTenant(records = RECORDS, events = EVENTS): Promise<ConnectionFixture> {
  const { sql } = ground.database;
  const connection = await aConnection(sql, {
    workspaceId: decodeId("ws", workspace.workspace.id) ?? ("" as never),
    tenantExternalId: `tenant-${randomUUID()}`,
    accountId: `gid://shopify/Shop/${randomUUID()}`,
  });
  const { workspaceId, tenantUid, connectionId, accountId } = connection;
  // Ended before: nothing is to be told to a provider.
  await sql`update connections set status = 'disconnected', ended_at = now() where id = ${connectionId}`;
  await sql`update grants set state = 'ended' where id = ${connection.grantId}`;
  await sql`
    insert into records (workspace_id, id, tenant_uid, connection_id, provider, account_id, mode, model, remote_id, version,
      change_seq, content_hash, projection_version, read_started_at, read_ended_at, last_seen_at, first_seen_at, changed_at, data)
    select ${workspaceId}, gen_random_uuid(), ${tenantUid}, ${connectionId}, 'shopify', ${accountId}, 'test', 'order', n::text, 1,
      n, '\\x00', 1, now(), now(), now(), now(), now(), '{}' from generate_series(1, ${records}::int) n`;
  await sql`
    insert into events (workspace_id, id, tenant_uid, type, occurred_at, body, body_key_id)
    select ${workspaceId}, gen_random_uuid(), ${tenantUid}, 'run.completed', now(), '\\x00', gen_random_uuid()
    from generate_series(1, ${events}::int)`;
  return connection;
}
