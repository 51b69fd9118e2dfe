import type { TenantUid, WorkspaceId } from "@patchbay/shared";
import { sql } from "drizzle-orm";
import { PgDialect } from "drizzle-orm/pg-core";
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../../../../test/harness/database.ts";
import { silentLogger } from "../observability/index.ts";
import { findIsolationProblems, migrate, openDatabase, type Database, type Tx } from "./index.ts";
import { missingRoles, rolesScript } from "./roles.ts";

let fixture: TestDatabase;
let database: Database;

beforeAll(async () => {
  fixture = await createTestDatabase();
  database = openDatabase(fixture.connection, 4);
});
afterAll(async () => {
  await database.close();
  await fixture.drop();
});

const ours = randomUUID() as WorkspaceId;
const theirs = randomUUID() as WorkspaceId;

/** Tables with a workspace, from the catalog, so that a new one cannot be forgotten. */
async function workspaceTables(): Promise<string[]> {
  const rows = await fixture.sql<{ name: string }[]>`
    select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
    join pg_attribute a on a.attrelid = c.oid and a.attname = 'workspace_id'
    where n.nspname = 'public' and c.relkind in ('r', 'p') order by 1`;
  return rows.map((row) => row.name);
}

describe("isolation", () => {
  test("is in force after a migration", async () => {
    expect(await findIsolationProblems(database)).toEqual([]);
  });

  test("shows a workspace none of another's rows, and lets none be written into it", async () => {
    const app = database.as("patchbay_app");
    const insert = (workspaceId: WorkspaceId, context: WorkspaceId) =>
      app.withWorkspace(context, (tx) =>
        tx.execute(sql`insert into tenants (workspace_id, uid, external_id, created_at, updated_at)
                       values (${workspaceId}, ${randomUUID()}, 'acme', now(), now())`),
      );
    await insert(ours, ours);
    await insert(theirs, theirs);
    await expect(insert(theirs, ours)).rejects.toThrow();
    const seen = await app.withWorkspace(ours, (tx) => tx.execute(sql`select workspace_id from tenants`));
    expect([...seen]).toEqual([{ workspace_id: ours }]);
    const changed = await app.withWorkspace(ours, (tx) =>
      tx.execute(sql`update tenants set name = 'x' where workspace_id = ${theirs} returning 1`),
    );
    expect(changed).toHaveLength(0);
  });

  test("holds for a statement that is sent at once, of which nothing stays when it is refused", async () => {
    const alone = openDatabase(fixture.connection, 1);
    const arrival = (id: string) =>
      sql`insert into queue.arrivals (id, workspace_id, received_at, run_at) values (${id}, ${ours}, now(), now())`;
    const [kept, refused] = [randomUUID(), randomUUID()];
    const ingest = alone.as("patchbay_ingest");
    await ingest.runAtOnce(arrival(kept));
    await expect(ingest.runAtOnce(sql`${arrival(refused)}, (${kept}, ${ours}, now(), now())`)).rejects.toMatchObject({
      code: "23505",
    });
    await expect(ingest.runAtOnce(sql`delete from queue.arrivals where id = ${kept}`)).rejects.toMatchObject({
      code: "42501",
    });
    // The one connection goes on as whoever is next.
    const who = await alone.as("patchbay_app").withQueue((tx) => tx.execute(sql`select current_user as name`));
    expect([...who]).toEqual([{ name: "patchbay_app" }]);
    await alone.close();
    const left = await fixture.sql`select id from queue.arrivals where id in (${kept}, ${refused})`;
    expect([...left]).toEqual([{ id: kept }]);
  });

  test("is loud when a transaction has no workspace, on every table and connection, fresh or used", async () => {
    for (const table of await workspaceTables()) {
      const read = database
        .as("patchbay_app")
        .withQueue((tx) => tx.execute(sql`select 1 from ${sql.identifier(table)}`));
      await expect(read, table).rejects.toThrow();
    }
  });

  test("gives a transaction with a tenant that tenant's rows alone, and the next one the whole workspace again", async () => {
    const app = database.as("patchbay_app");
    const [acme, globex] = [randomUUID() as TenantUid, randomUUID() as TenantUid];
    const workspaceId = randomUUID() as WorkspaceId;
    const insert = (tx: Tx, uid: TenantUid) =>
      tx.execute(sql`insert into tenants (workspace_id, uid, external_id, created_at, updated_at)
                     values (${workspaceId}, ${uid}, ${uid}, now(), now())`);
    await app.withWorkspace(workspaceId, async (tx) => {
      await insert(tx, acme);
      await insert(tx, globex);
    });
    const uids = async (tx: Tx) => (await tx.execute(sql`select uid from tenants`)).map((row) => row["uid"]);
    expect(await app.withTenant(workspaceId, acme, uids)).toEqual([acme]);
    await expect(app.withTenant(workspaceId, acme, (tx) => insert(tx, randomUUID() as TenantUid))).rejects.toThrow();
    await expect(app.withTenant(workspaceId, "" as TenantUid, uids)).rejects.toThrow("without a tenant");
    expect(await app.withWorkspace(workspaceId, uids)).toHaveLength(2);
  });

  test("covers every partition: none can be read or written past its parent", async () => {
    const rows = await fixture.sql<{ name: string }[]>`
      select inhrelid::regclass::text as name from pg_inherits where inhparent = 'inbox'::regclass`;
    expect(rows.length).toBeGreaterThan(10);
    for (const { name } of rows.slice(0, 3)) {
      for (const role of ["patchbay_app", "patchbay_worker", "patchbay_ingest"] as const) {
        await expect(
          database.as(role).withWorkspace(ours, (tx) => tx.execute(sql`select 1 from ${sql.identifier(name)}`)),
        ).rejects.toThrow();
      }
    }
  });

  test("lets the ingest role append to the inbox and read nothing", async () => {
    const ingest = database.as("patchbay_ingest");
    for (const table of await workspaceTables()) {
      await expect(
        ingest.withWorkspace(ours, (tx) => tx.execute(sql`select 1 from ${sql.identifier(table)}`)),
        table,
      ).rejects.toThrow();
    }
  });

  test.each([
    ["a table that does not enforce it", "alter table tenants no force row level security", "tenants"],
    ["a table without a policy", "drop policy workspace on runs", "runs"],
    ["a policy that was widened", "alter policy workspace on runs using (true)", "policy workspace of table runs"],
    [
      "a policy that lets others write",
      "alter policy workspace on events with check (workspace_id is not null)",
      "policy workspace of table events",
    ],
    ["a table open to every tenant", "drop policy tenant on records", "table records does not keep to the tenant"],
    ["a tenant's policy that was widened", "alter policy tenant on runs using (true)", "table runs does not keep"],
    [
      "a new table that nobody thought of",
      "create table news (workspace_id uuid, tenant_uid uuid); alter table news enable row level security; alter table news force row level security",
      "table news does not keep to the tenant",
    ],
    [
      "a changed helper of the policies",
      "create or replace function app.current_tenant() returns uuid language sql stable as 'select null::uuid'",
      "app.current_tenant",
    ],
    ["a second policy", "create policy more on tenants to patchbay_app using (true)", "policy more of table tenants"],
    ["a materialized view", "create materialized view app.copy as select 1 as one", "copy"],
    ["a role that bypasses it", "alter role patchbay_app bypassrls", "BYPASSRLS"],
    ["a view with its owner's rights", "create view app.leak as select * from tenants", "leak"],
    [
      "a function with its owner's rights",
      "create function app.leak() returns bigint language sql security definer as 'select count(*) from tenants'",
      "leak",
    ],
    [
      "a function of maintenance that says something else",
      "create or replace function app.drop_inbox_day(day date) returns boolean language plpgsql security definer set search_path = pg_catalog, pg_temp as 'begin drop table public.inbox; return true; end'",
      "app.drop_inbox_day",
    ],
    [
      "a function of maintenance that others may call",
      "grant execute on function app.open_inbox_day(date) to patchbay_app",
      "app.open_inbox_day",
    ],
    [
      "a function of maintenance that looks names up where its caller says",
      "alter function app.open_inbox_day(date) reset search_path",
      "app.open_inbox_day",
    ],
    [
      "a function of maintenance with a superuser's rights",
      "do $$ begin execute format('alter function app.drop_inbox_day(date) owner to %I', session_user); end $$",
      "app.drop_inbox_day",
    ],
  ])("is reported missing for %s", async (_, breakIt, named) => {
    // DDL is transactional: the check runs inside, then everything is taken back, roles of the cluster included.
    const problems = await fixture.sql
      .begin(async (tx) => {
        await tx.unsafe(breakIt);
        const checker = { as: () => ({ withQueue: (work: (t: unknown) => unknown) => work(adapter(tx)) }) };
        const found = await findIsolationProblems(checker as unknown as Database);
        throw new Found(found);
      })
      .catch((error: unknown) => {
        if (error instanceof Found) return error.problems;
        throw error;
      });
    expect(problems.join("\n")).toContain(named);
  });

  test("asks for a role of a newer version that the server was never told of, with what makes it", async () => {
    const missing = await fixture.sql
      .begin(async (tx) => {
        await tx.unsafe("revoke patchbay_maintenance from patchbay_login");
        throw new Found(await missingRoles(tx));
      })
      .catch((error: unknown) => {
        if (error instanceof Found) return error.problems;
        throw error;
      });
    expect(missing).toEqual(["patchbay_maintenance"]);
    await fixture.sql.begin(async (tx) => {
      await tx.unsafe("revoke patchbay_maintenance from patchbay_login");
      // Twice: it may be run on a server that knows the other roles, or all of them.
      await tx.unsafe(rolesScript(fixture.name));
      await tx.unsafe(rolesScript(fixture.name));
      expect(await missingRoles(tx)).toEqual([]);
      expect(rolesScript(fixture.name)).toContain("patchbay_maintenance");
    });
  });

  test("survives a second migration of the same database", async () => {
    await migrate({
      connection: fixture.adminConnection,
      loginPassword: fixture.connection.password,
      log: silentLogger,
    });
    expect(await findIsolationProblems(database)).toEqual([]);
  });
});

class Found extends Error {
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super("rolled back");
    this.problems = problems;
  }
}

/** Runs drizzle's SQL on a postgres.js transaction. */
function adapter(tx: { unsafe(text: string, values?: never[]): Promise<unknown> }) {
  return {
    execute: (query: ReturnType<typeof sql>) => {
      const { sql: text, params } = new PgDialect().sqlToQuery(query);
      return tx.unsafe(text, params as never[]);
    },
  };
}
