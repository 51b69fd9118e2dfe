/** Every table × verb × context × role, from the catalog; then every policy broken in turn, to see that it is noticed. */
import type { SQL } from "drizzle-orm";
import { PgDialect } from "drizzle-orm/pg-core";
import type postgres from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../../../../test/harness/database.ts";
import { findIsolationProblems, type Database } from "./index.ts";
import { quote, type Sides, type Table } from "./testing/matrix.ts";
import { arrange, leaks, ownRows, withoutCondition } from "./testing/probe.ts";

let fixture: TestDatabase;
beforeAll(async () => {
  fixture = await createTestDatabase();
});
afterAll(() => fixture.drop());

interface Arranged {
  readonly tx: postgres.TransactionSql;
  readonly tables: readonly Table[];
  readonly sides: Sides;
}

/** Roles and settings belong to the transaction, and everything in it is taken back. */
async function inTransaction<Result>(work: (arranged: Arranged) => Promise<Result>): Promise<Result> {
  const outcome: { result?: Result } = {};
  await fixture.sql
    .begin(async (tx) => {
      outcome.result = await work({ tx, ...(await arrange(tx)) });
      throw new TakenBack();
    })
    .catch((error: unknown) => {
      if (!(error instanceof TakenBack)) throw error;
    });
  return outcome.result as Result;
}

class TakenBack extends Error {}

describe("the table matrix", () => {
  test("T2: no role reaches a foreign row in any table with any verb", async () => {
    await inTransaction(async ({ tx, tables, sides }) => {
      expect(tables.length).toBeGreaterThan(25);
      const found: string[] = [];
      for await (const leak of leaks(tx, tables, sides)) found.push(leak);
      expect(found).toEqual([]);
    });
  });

  test("T2: the product's roles see their own rows in every table that they may read", async () => {
    await inTransaction(async ({ tx, tables, sides }) => {
      for (const table of tables) {
        for (const role of ["patchbay_app", "patchbay_worker"] as const) {
          const [grant] = await tx<
            { may: boolean }[]
          >`select has_table_privilege(${role}, ${table.name}, 'select') as may`;
          const expected = grant?.may === true ? 1 : -1;
          const seen = await ownRows(tx, role, table, sides.ours, false);
          expect(Math.min(seen, 1), `${role} in ${table.name}`).toBe(expected);
          if (role === "patchbay_app" && expected === 1 && table.scope !== "closed") {
            expect(await ownRows(tx, role, table, sides.ours, true), `a tenant in ${table.name}`).toBeGreaterThan(0);
          }
        }
      }
    });
  });

  test("T3: a statement that names no workspace at all reaches exactly its own workspace's rows", async () => {
    await inTransaction(async ({ tx, tables, sides }) => {
      for (const table of tables) {
        for (const { verb, reached, own } of await withoutCondition(tx, table, sides)) {
          // -1: the verb is not granted on this table at all.
          expect([-1, own], `${verb} of ${table.name}`).toContain(reached);
          if (verb === "select" && reached !== -1) expect(own, table.name).toBeGreaterThan(0);
        }
      }
    });
  });

  test("T2: every table with a tenant_uid has the tenant's policy, and every other is closed or listed", async () => {
    expect((await problemsIn(fixture.sql)).filter((problem) => problem.includes("tenant"))).toEqual([]);
  });
});

interface Mutant {
  readonly name: string;
  readonly ddl: string;
  /** Where its effect shows. */
  readonly table: string | null;
}

describe("a broken policy", () => {
  test(
    "T3: each policy dropped or widened, each ENABLE and FORCE removed, each helper changed: all are noticed",
    { timeout: 240_000 },
    async () => {
      const mutants = await inTransaction(({ tx, tables }) => mutantsOf(tx, tables));
      expect(mutants.length).toBeGreaterThan(200);
      const survivors: string[] = [];
      const killed = { byMatrix: 0, byCheck: 0 };
      await inTransaction(async ({ tx, tables, sides }) => {
        const before = new Set(await problemsIn(tx));
        for (const mutant of mutants) {
          await tx.unsafe(`savepoint whole; ${mutant.ddl}`);
          const concerned = tables.filter(
            ({ name, children }) => mutant.table === null || name === mutant.table || children.includes(mutant.table),
          );
          // One leak is enough to notice it.
          const { done: tight } = await leaks(tx, concerned, sides).next();
          const leaking = tight !== true;
          const reported = (await problemsIn(tx)).some((problem) => !before.has(problem));
          if (leaking) killed.byMatrix++;
          if (reported) killed.byCheck++;
          if (!leaking && !reported) survivors.push(mutant.name);
          await tx.unsafe("rollback to savepoint whole");
        }
      });
      const figures = `${killed.byMatrix} noticed by the matrix, ${killed.byCheck} by the start's self-check`;
      process.stdout.write(`T3: ${mutants.length} mutants, ${figures}\n`);
      expect(survivors).toEqual([]);
    },
  );
});

async function mutantsOf(tx: postgres.TransactionSql, tables: readonly Table[]): Promise<readonly Mutant[]> {
  const policies = await tx<{ table: string; name: string; using: boolean; check: boolean; meant: boolean }[]>`
    select c.relname as table, p.polname as name, p.polqual is not null as using, p.polwithcheck is not null as check,
           p.polname = 'append' as meant
    from pg_policy p join pg_class c on c.oid = p.polrelid join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'public' order by 1, 2`;
  // The one policy that is wide on purpose has nothing to widen; without it the inbox takes nothing, which is safe.
  const ofPolicies = policies
    .filter(({ meant }) => !meant)
    .flatMap(({ table, name, using, check }) => {
      const on = `${quote(name)} on ${quote(table)}`;
      const mutant = (what: string, ddl: string) => ({ name: `${what} ${name} of ${table}`, ddl, table });
      return [
        mutant("drop", `drop policy ${on}`),
        ...(using ? [mutant("widen the reading of", `alter policy ${on} using (true)`)] : []),
        ...(check ? [mutant("widen the writing of", `alter policy ${on} with check (true)`)] : []),
      ];
    });
  // All children are made by one statement.
  const relations = tables.flatMap(({ name, children }) => [name, ...children.slice(0, 3)]);
  const ofTables = relations.flatMap((table) => [
    { name: `no FORCE on ${table}`, ddl: `alter table ${table} no force row level security`, table },
    { name: `no ENABLE on ${table}`, ddl: `alter table ${table} disable row level security`, table },
    { name: `a second policy on ${table}`, ddl: `create policy more on ${table} to patchbay_app using (true)`, table },
  ]);
  const ofHelpers = [
    ["current_tenant() returns uuid", "null::uuid"],
    ["tenant_has_connection(workspace uuid, connection uuid) returns boolean", "true"],
    ["tenant_has_grant(workspace uuid, grant_id uuid) returns boolean", "true"],
  ].map(([signature = "", value = ""]) => ({
    name: `${signature} says ${value}`,
    ddl: `create or replace function app.${signature} language sql stable as 'select ${value}'`,
    table: null,
  }));
  return [...ofPolicies, ...ofTables, ...ofHelpers];
}

/** What the start would refuse over, seen from inside an open transaction. */
function problemsIn(sql: postgres.Sql | postgres.TransactionSql): Promise<readonly string[]> {
  const dialect = new PgDialect();
  const execute = (query: SQL) => {
    const { sql: text, params } = dialect.sqlToQuery(query);
    return sql.unsafe(text, params as never[]);
  };
  const checked = { as: () => ({ withQueue: (work: (tx: unknown) => unknown) => work({ execute }) }) };
  return findIsolationProblems(checked as unknown as Database);
}
