import type { TenantUid, WorkspaceId } from "@patchbay/shared";
import { sql } from "drizzle-orm";
import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { createTestDatabase } from "../../../../../test/harness/database.ts";
import { openDatabase, type Tx } from "./index.ts";

const TENANTS = 10;
const RECORDS = 2_000;

test("a page of records is read from the index in its order, with and without a tenant's scope", async () => {
  await using fixture = await createTestDatabase();
  const database = openDatabase(fixture.connection, 1);
  const app = database.as("patchbay_app");
  const workspaceId = randomUUID() as WorkspaceId;
  const tenants = Array.from({ length: TENANTS }, () => randomUUID() as TenantUid);
  await fixture.sql.begin(async (tx) => {
    await tx`set local session_replication_role = replica`;
    for (const tenant of tenants) {
      await tx`
        insert into records (workspace_id, id, tenant_uid, connection_id, provider, account_id, mode, model, remote_id,
          version, change_seq, content_hash, projection_version, read_started_at, read_ended_at, last_seen_at,
          first_seen_at, changed_at, data)
        select ${workspaceId}, gen_random_uuid(), ${tenant}, ${tenant}, 'shopify', '1', 'test', 'order', n::text,
          1, n, '\\x00', 1, now(), now(), now(), now(), now(), '{}' from generate_series(1, ${RECORDS}::int) n`;
    }
  });
  await fixture.sql`analyze records`;
  const [tenant] = tenants;
  if (tenant === undefined) throw new Error("no tenant");
  const page = sql`select * from records where workspace_id = ${workspaceId} and tenant_uid = ${tenant}
    and model = 'order' and change_seq > 100 order by change_seq, id limit 100`;
  const plan = async (tx: Tx) => {
    const lines = await tx.execute<Record<"QUERY PLAN", string>>(sql`explain (analyze) ${page}`);
    return lines.map((line) => line["QUERY PLAN"]).join("\n");
  };
  const plans = {
    workspace: await app.withWorkspace(workspaceId, plan),
    tenant: await app.withTenant(workspaceId, tenant, plan),
    none: await withoutPolicy(),
  };
  for (const [scope, text] of Object.entries(plans)) {
    process.stdout.write(`a page of records, ${scope}: ${/Execution Time: .*/.exec(text)?.[0] ?? ""}\n`);
    expect(text, scope).toContain("records_by_change");
    expect(text, scope).not.toContain("Sort");
  }
  await database.close();

  async function withoutPolicy(): Promise<string> {
    await fixture.sql`drop policy tenant on records`;
    return app.withWorkspace(workspaceId, plan);
  }
});
