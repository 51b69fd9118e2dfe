import type { WorkspaceId } from "@patchbay/shared";
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../../../../test/harness/database.ts";
import { openDatabase, type Database } from "../db/index.ts";
import { aSide, insertOf, workspaceTables } from "../db/testing/matrix.ts";
import { createLogger } from "../observability/index.ts";
import { markAllDue, sweepDue, type DueSweep } from "./index.ts";

let fixture: TestDatabase;
let database: Database;
let now: Date;
let log: string[];

beforeAll(async () => {
  fixture = await createTestDatabase();
  database = openDatabase(fixture.connection, 4);
});
afterAll(async () => {
  await database.close();
  await fixture.drop();
});
beforeEach(async () => {
  [now, log] = [new Date(), []];
  await fixture.sql`delete from queue.due`;
  await fixture.sql`delete from queue.workspaces`;
});

describe("a sweep", () => {
  test("visits each workspace with a mark that is due, once, and then not again", async () => {
    const [one, two, later, other] = [aWorkspace(), aWorkspace(), aWorkspace(), aWorkspace()];
    for (const id of [one, one, two]) await mark(id);
    await mark(later, { inMs: 60_000 });
    await mark(other, { task: "keys" });
    expect(new Set(await sweep())).toEqual(new Set([one, two]));
    expect(await sweep()).toEqual([]);
    now = new Date(now.getTime() + 60_000);
    expect(await sweep()).toEqual([later]);
  });

  test("comes back when the visited workspace says, and leaves one mark however many there were", async () => {
    const id = aWorkspace();
    await mark(id);
    await mark(id, { inMs: 1_000 });
    await mark(id, { inMs: 5_000 });
    const dueAt = new Date(now.getTime() + 30_000);
    await sweep({ nextLook: async () => dueAt });
    expect(await marks()).toEqual([{ workspace_id: id, due_at: dueAt }]);
  });

  test("keeps what was marked while it was there", async () => {
    const id = aWorkspace();
    await mark(id);
    await sweep({ visit: () => mark(id) });
    expect(await sweep()).toEqual([id]);
  });

  test("sees what a transaction that was open during a visit marked", async () => {
    const id = aWorkspace();
    await mark(id);
    const [begun, visited] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const open = database.as("patchbay_worker").withQueue(async (tx) => {
      await tx.execute(`insert into queue.due values ('${randomUUID()}', '${id}', 'runs', now() - interval '1 s')`);
      begun.resolve();
      await visited.promise;
    });
    await begun.promise;
    expect(await sweep()).toEqual([id]);
    visited.resolve();
    await open;
    expect(await sweep()).toEqual([id]);
  });

  test("visits a workspace that failed again, and the others all the same", async () => {
    const [bad, good] = [aWorkspace(), aWorkspace()];
    for (const id of [bad, bad, good]) await mark(id);
    const visit = async (id: WorkspaceId) => {
      if (id === bad) throw new Error("planted");
    };
    expect(new Set(await sweep({ visit }))).toEqual(new Set([bad, good]));
    expect(log.join()).toContain("chore failed");
    expect(await marks()).toHaveLength(1);
    expect(await sweep()).toEqual([bad]);
  });

  test("visits all after everything was marked", async () => {
    const [one, two] = [aWorkspace(), aWorkspace()];
    for (const id of [one, two]) await fixture.sql`insert into queue.workspaces values (${id}, now())`;
    await markAllDue(database.as("patchbay_worker").withQueue, now);
    expect(new Set(await sweep())).toEqual(new Set([one, two]));
    expect(new Set(await sweep({ task: "fates" }))).toEqual(new Set([one, two]));
  });
});

describe("a change of what sweeps read marks its workspace", () => {
  test.each([
    ["connections", "next_run_at", ["runs"]],
    ["connections", "status", ["authorizations", "runs", "subscriptions"]],
    ["connections", "ended_at", ["authorizations", "subscriptions"]],
    ["connections", "grant_id", ["authorizations", "subscriptions"]],
    ["grants", "state", ["authorizations", "credentials", "fates"]],
    ["grants", "dead_since", ["authorizations", "fates"]],
    ["grants", "rotate_at", ["credentials"]],
    ["authorizations", "status", ["authorizations"]],
    ["key_rotations", "state", ["keys"]],
    // What sweeps do not read.
    ["connections", "health", []],
  ] as const)("%s.%s", async (table, column, tasks) => {
    const side = aSide();
    await arrange(table, side);
    await inWorkspace(side.workspace, `update ${table} set ${column} = ${column}`);
    expect(await tasksOf(side.workspace)).toEqual(tasks);
  });

  test.each([
    ["connections", ["authorizations", "runs", "subscriptions"]],
    ["grants", ["authorizations", "credentials", "fates"]],
    ["authorizations", ["authorizations"]],
    ["connect_sessions", ["authorizations"]],
    ["subscriptions", ["subscriptions"]],
    ["key_rotations", ["keys"]],
  ] as const)("a new row of %s", async (table, tasks) => {
    const side = aSide();
    const { sql } = fixture;
    // Whatever it refers to is not there.
    const referring = await sql<{ name: string }[]>`
      select conname as name from pg_constraint where conrelid = ${table}::regclass and contype = 'f'`;
    await sql
      .begin(async (tx) => {
        for (const { name } of referring) await tx.unsafe(`alter table ${table} drop constraint "${name}"`);
        await tx`select set_config('app.workspace_id', ${side.workspace}, true)`;
        await tx.unsafe(insertOf(await definitionOf(table), side));
        const found = await tx<{ task: string }[]>`
        select distinct task from queue.due where workspace_id = ${side.workspace} order by task`;
        expect(found.map(({ task }) => task)).toEqual(tasks);
        throw new RollBack();
      })
      .catch((error: unknown) => {
        if (!(error instanceof RollBack)) throw error;
      });
  });

  test("but not while a backup is loaded, which names no workspace", async () => {
    const side = aSide();
    await arrange("grants", side);
    await fixture.sql`update grants set state = state`;
    expect(await tasksOf(side.workspace)).toEqual([]);
  });
});

class RollBack extends Error {}

function aWorkspace(): WorkspaceId {
  return randomUUID() as WorkspaceId;
}

async function mark(id: WorkspaceId, { task = "runs", inMs = -1 } = {}): Promise<void> {
  await fixture.sql`
    insert into queue.due values (${randomUUID()}, ${id}, ${task}, ${new Date(now.getTime() + inMs)})`;
}

/** @returns whom it visited */
async function sweep(changes: Partial<DueSweep> = {}): Promise<readonly WorkspaceId[]> {
  const visited: WorkspaceId[] = [];
  await sweepDue(
    {
      worker: database.as("patchbay_worker"),
      clock: { now: () => now },
      log: createLogger("info", { write: (line) => void log.push(line) }),
    },
    {
      task: changes.task ?? "runs",
      visit: async (id) => {
        visited.push(id);
        await changes.visit?.(id);
      },
      nextLook: changes.nextLook ?? (async () => null),
    },
  );
  return visited;
}

async function marks() {
  return [...(await fixture.sql`select workspace_id, due_at from queue.due`)];
}

async function tasksOf(workspace: string): Promise<readonly string[]> {
  const rows = await fixture.sql<{ task: string }[]>`
    select distinct task from queue.due where workspace_id = ${workspace} order by task`;
  return rows.map(({ task }) => task);
}

async function definitionOf(name: string) {
  const table = (await workspaceTables(fixture.sql)).find((each) => each.name === name);
  if (table === undefined) throw new Error(`no table ${name}`);
  return table;
}

/** A row that nobody was told of. */
async function arrange(table: string, side: ReturnType<typeof aSide>): Promise<void> {
  const statement = insertOf(await definitionOf(table), side);
  await fixture.sql.begin(async (tx) => {
    await tx`set local session_replication_role = replica`;
    await tx.unsafe(statement);
  });
}

async function inWorkspace(workspace: string, statement: string): Promise<void> {
  await fixture.sql.begin(async (tx) => {
    await tx`select set_config('app.workspace_id', ${workspace}, true)`;
    await tx.unsafe(`${statement} where workspace_id = '${workspace}'`);
  });
}
