import { decodeId, encodeId, type TenantUid, type WorkspaceId } from "@patchbay/shared";
import { sql } from "drizzle-orm";
import { randomBytes, randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../../../../test/harness/database.ts";
import { openDatabase, type Database, type Role, type WithWorkspace } from "../../platform/db/index.ts";
import { systemClock, type Clock } from "../../platform/runtime/index.ts";
import { createVault, openLocalKeys, type Vault } from "../vault/index.ts";
import { createWorkspace } from "../workspaces/index.ts";
import {
  allCheckpoints,
  createAudit,
  listAudit,
  readLog,
  verifyExport,
  verifyLog,
  writeCheckpoint,
  type Audit,
  type AuditAct,
} from "./index.ts";

let fixture: TestDatabase;
let database: Database;
let audit: Audit;
let deps: { readonly withWorkspace: WithWorkspace; readonly vault: Vault; readonly clock: Clock };
let folder = "";

beforeAll(async () => {
  fixture = await createTestDatabase();
  database = openDatabase(fixture.connection, 6);
  folder = await mkdtemp(join(tmpdir(), "patchbay-audit-"));
  await writeFile(join(folder, "keys"), `pbk1:1:${randomBytes(32).toString("base64")}\n`, { mode: 0o400 });
  const { withWorkspace } = database.as("patchbay_app");
  const vault = createVault({ withWorkspace, keys: await openLocalKeys(join(folder, "keys")), clock: systemClock });
  deps = { withWorkspace, vault, clock: systemClock };
  audit = createAudit(deps);
});
afterAll(async () => {
  await database.close();
  await fixture.drop();
  await rm(folder, { recursive: true });
});

const ACT: AuditAct = {
  actor: { kind: "api_key", id: "key_x" },
  action: "connection.pause",
  target: { type: "connection", id: "conn_x" },
};

describe("the audit log", () => {
  test("numbers what writers at once append without a gap", async () => {
    const workspaceId = await aWorkspace();
    await Promise.all(Array.from({ length: 20 }, () => audit.record(workspaceId, ACT)));
    expect(await sequences(workspaceId)).toEqual(Array.from({ length: 20 }, (_, at) => at + 1));
  });

  test("costs little: figures are printed", async () => {
    const workspaceId = await aWorkspace();
    await audit.record(workspaceId, ACT);
    const timed = async (work: () => Promise<unknown>) => {
      const startedMs = performance.now();
      await work();
      return (performance.now() - startedMs) / 100;
    };
    const alone = await timed(async () => {
      for (let n = 0; n < 100; n++) await audit.record(workspaceId, ACT);
    });
    const together = await timed(() => Promise.all(Array.from({ length: 100 }, () => audit.record(workspaceId, ACT))));
    process.stdout.write(`audit: ${alone.toFixed(2)} ms an entry alone, ${together.toFixed(2)} ms of 100 at once\n`);
    expect(await sequences(workspaceId)).toHaveLength(201);
  });

  test("forgets what was rolled back, and leaves no gap for it", async () => {
    const workspaceId = await aWorkspace();
    const writer = await audit.writer(workspaceId);
    const failing = database.as("patchbay_app").withWorkspace(workspaceId, async (tx) => {
      await writer.append(tx, ACT);
      throw new Error("planted");
    });
    await expect(failing).rejects.toThrow("planted");
    await audit.record(workspaceId, ACT);
    expect(await sequences(workspaceId)).toEqual([1]);
  });

  test.each<[string, Partial<AuditAct>]>([
    ["an action of another form", { action: "Pause.it" }],
    ["a long text", { details: { reason: "x".repeat(201) } }],
    ["a line break", { target: { type: "connection", id: "a\nb" } }],
    ["a number that JSON has not", { details: { ratio: Number.NaN } }],
  ])("takes no entry with %s", async (_, wrong) => {
    await expect(audit.record(await aWorkspace(), { ...ACT, ...wrong })).rejects.toThrow(/audit (action|entry)/);
  });
});

describe("a log in the database", () => {
  test("is whole, with its checkpoints, and an export of it too", async () => {
    const workspaceId = await aWorkspace();
    for (let n = 0; n < 5; n++) await audit.record(workspaceId, { ...ACT, details: { n, ok: true, code: null } });
    const first = await writeCheckpoint(deps, workspaceId);
    expect(await writeCheckpoint(deps, workspaceId)).toBeNull();
    await audit.record(workspaceId, ACT);
    await writeCheckpoint(deps, workspaceId);
    expect(await verifyLog(deps, workspaceId)).toMatchObject({
      entries: 6,
      checkpoints: 2,
      checkpointedTo: 6,
      problems: [],
    });
    const checkpoints = await allCheckpoints(deps, workspaceId);
    expect(checkpoints[1]).toEqual(first);
    const publicKeys = [first?.publicKey ?? ""];
    const report = await verifyExport(linesOf(workspaceId), {
      workspaceId: edge(workspaceId),
      checkpoints,
      publicKeys,
    });
    expect(report).toMatchObject({ entries: 6, checkpoints: 2, problems: [] });
  });

  test("shows every change that somebody makes who may write rows and has no key", async () => {
    const changes: readonly [string, string][] = [
      ["update audit_entries set action = 'a.b' where sequence = 3", "changed"],
      ["update audit_entries set recorded_at = recorded_at + interval '1 ms' where sequence = 3", "changed"],
      ["update audit_entries set details = '{\"ok\": false}' where sequence = 3", "changed"],
      ["update audit_entries set tenant_uid = gen_random_uuid() where sequence = 3", "changed"],
      ["update audit_entries set mac_key_id = gen_random_uuid() where sequence = 3", "forged"],
      ["update audit_entries set mac = hash where sequence = 3", "forged"],
      ["delete from audit_entries where sequence = 3", "out_of_order"],
      ["delete from audit_entries where sequence = 5", "wrong_end"],
      ["delete from audit_heads", "past_end"],
      ["update audit_heads set sequence = sequence + 3", "wrong_end"],
      [
        "update audit_heads h set (sequence, hash) = (select e.sequence, e.hash from audit_entries e where e.workspace_id = h.workspace_id and e.sequence = 3) where true",
        "past_end",
      ],
    ];
    for (const [statement, problem] of changes) {
      const workspaceId = await aWorkspace();
      for (let n = 0; n < 5; n++) await audit.record(workspaceId, ACT);
      await tamper(`${statement}${statement.includes("where") ? " and" : " where"} workspace_id = '${workspaceId}'`);
      expect((await verifyLog(deps, workspaceId)).problems[0]?.problem, statement).toBe(problem);
    }
  });

  test.each([
    ["right behind the end", 1, ["past_end"]],
    ["far behind it", 7, ["past_end"]],
  ])("shows a row that the app itself put %s, past everybody who appends", async (_, ahead, problems) => {
    const workspaceId = await aWorkspace();
    await audit.record(workspaceId, ACT);
    await database.as("patchbay_app").withWorkspace(workspaceId, (tx) =>
      tx.execute(sql`insert into audit_entries
        select workspace_id, sequence + ${ahead}, recorded_at, kind, 'a.b', actor_kind, actor_id, target_type, target_id,
               tenant_uid, request_id, client_address, details, hash, mac, mac_key_id from audit_entries`),
    );
    const report = await verifyLog(deps, workspaceId);
    expect(report.problems).toEqual(problems.map((problem) => ({ sequence: 1 + ahead, problem })));
  });

  test("shows an end that the app itself moved past the entries", async () => {
    const workspaceId = await aWorkspace();
    await audit.record(workspaceId, ACT);
    await database
      .as("patchbay_app")
      .withWorkspace(workspaceId, (tx) => tx.execute(sql`update audit_heads set sequence = 4`));
    expect((await verifyLog(deps, workspaceId)).problems).toEqual([{ sequence: 1, problem: "wrong_end" }]);
    await audit.record(workspaceId, ACT);
    expect((await verifyLog(deps, workspaceId)).problems[0]).toEqual({ sequence: 5, problem: "out_of_order" });
  });

  test("has no problem while others append and sign between any two looks at it", async () => {
    const workspaceId = await aWorkspace();
    let looks = 0;
    const withWorkspace: WithWorkspace = async (id, work) => {
      looks += 1;
      await audit.record(workspaceId, ACT);
      await writeCheckpoint(deps, workspaceId);
      return deps.withWorkspace(id, work);
    };
    for (let times = 0; times < 3; times++) {
      expect((await verifyLog({ ...deps, withWorkspace }, workspaceId)).problems).toEqual([]);
    }
    expect(looks).toBeGreaterThan(12);
  });

  test("whose end was cut off with its traces is found against an exported checkpoint only", async () => {
    const workspaceId = await aWorkspace();
    for (let n = 0; n < 5; n++) await audit.record(workspaceId, ACT);
    const exported = await writeCheckpoint(deps, workspaceId);
    const [kept] =
      await fixture.sql`select hash from audit_entries where workspace_id = ${workspaceId} and sequence = 3`;
    await tamper(`delete from audit_checkpoints where workspace_id = '${workspaceId}'`);
    await tamper(`delete from audit_entries where workspace_id = '${workspaceId}' and sequence > 3`);
    const hash = Buffer.from(kept?.["hash"] as Uint8Array).toString("hex");
    await tamper(`update audit_heads set sequence = 3, hash = '\\x${hash}' where workspace_id = '${workspaceId}'`);
    expect((await verifyLog(deps, workspaceId)).problems).toEqual([]);
    const report = await verifyLog(deps, workspaceId, exported === null ? [] : [exported]);
    expect(report.problems).toEqual([{ sequence: 3, problem: "cut_off" }]);
  });

  test("is listed newest first, page by page, by what is asked for", async () => {
    const workspaceId = await aWorkspace();
    for (const action of ["a.b", "c.d", "a.b", "a.b"] as const) await audit.record(workspaceId, { ...ACT, action });
    const page = await listAudit(deps, { workspaceId, limit: 2, action: "a.b" });
    expect(page.data.map(({ sequence }) => sequence)).toEqual([4, 3]);
    const next = await listAudit(deps, { workspaceId, limit: 2, action: "a.b", cursor: page.nextCursor ?? "" });
    expect([next.data.map(({ sequence }) => sequence), next.hasMore]).toEqual([[1], false]);
    const none = await listAudit(deps, { workspaceId, limit: 2, until: "2020-01-01T00:00:00.000Z" });
    expect(none.data).toEqual([]);
  });
});

describe("a person in the log", () => {
  test("is the same each time, another in another tenant, and nobody's once the tenant's keys are destroyed", async () => {
    const workspaceId = await aWorkspace();
    const [acme, globex] = [randomUUID() as TenantUid, randomUUID() as TenantUid];
    const person = (tenantUid: TenantUid) => audit.person({ workspaceId, tenantUid, endUserId: "jane" });
    const jane = await person(acme);
    expect(jane).toMatch(/^usr_[0-7][0-9a-z]{25}$/);
    expect(await person(acme)).toBe(jane);
    expect(await person(globex)).not.toBe(jane);
    await database
      .as("patchbay_app")
      .withWorkspace(workspaceId, (tx) => deps.vault.destroyKeys(tx, { workspaceId, tenantUid: acme }));
    expect(await person(acme)).not.toBe(jane);
  });
});

describe("the tables of the audit log", () => {
  const TABLES = ["audit_entries", "audit_checkpoints", "audit_signing_keys", "audit_heads"];

  test.each(TABLES)("%s: nobody may delete, and only heads may change, in two columns", async (table) => {
    const rows = await fixture.sql<{ role: string; privilege: string }[]>`
      select role, privilege from unnest(array['patchbay_app', 'patchbay_worker', 'patchbay_ingest', 'patchbay_login']) role,
        unnest(array['update', 'delete', 'truncate', 'trigger', 'references']) privilege
      where has_table_privilege(role, ${table}, privilege)`;
    expect([...rows]).toEqual([]);
  });

  test.each<Role>(["patchbay_app", "patchbay_worker", "patchbay_owner"])(
    "audit_entries: %s can neither change nor delete nor empty them",
    async (role) => {
      const workspaceId = await aWorkspace();
      await audit.record(workspaceId, ACT);
      for (const statement of [
        "update audit_entries set action = 'a.b'",
        "delete from audit_entries",
        "truncate audit_entries",
      ]) {
        const changing = database.as(role).withWorkspace(workspaceId, (tx) => tx.execute(sql.raw(statement)));
        await expect(changing, statement).rejects.toMatchObject({ cause: { code: "42501" } });
      }
      expect(await sequences(workspaceId)).toEqual([1]);
    },
  );

  test("audit_heads: the end moves on and never back", async () => {
    const workspaceId = await aWorkspace();
    await audit.record(workspaceId, ACT);
    await audit.record(workspaceId, ACT);
    for (const change of ["sequence = 1", "hash = '\\x00'"]) {
      const changing = database
        .as("patchbay_app")
        .withWorkspace(workspaceId, (tx) => tx.execute(sql.raw(`update audit_heads set ${change}`)));
      await expect(changing, change).rejects.toMatchObject({ cause: { code: "42501" } });
    }
    await audit.record(workspaceId, ACT);
    expect(await sequences(workspaceId)).toEqual([1, 2, 3]);
  });

  test("audit_entries: a superuser has to turn the trigger off first", async () => {
    await audit.record(await aWorkspace(), ACT);
    await expect(fixture.sql`delete from audit_entries`).rejects.toMatchObject({ code: "42501" });
  });
});

async function aWorkspace(): Promise<WorkspaceId> {
  const { withWorkspace } = database.as("patchbay_app");
  const made = await createWorkspace({ withWorkspace, clock: systemClock }, { name: "A host", mode: "test" });
  const id = decodeId("ws", made.id);
  if (id === null) throw new Error("no workspace id");
  return id;
}

/** As somebody who has the whole database in hand. */
async function tamper(statement: string): Promise<void> {
  await fixture.sql.begin(async (tx) => {
    await tx`set local session_replication_role = 'replica'`;
    await tx.unsafe(statement);
  });
}

async function* linesOf(workspaceId: WorkspaceId): AsyncGenerator<string, void> {
  for await (const { line } of readLog(deps, workspaceId)) yield line.trimEnd();
}

function edge(workspaceId: WorkspaceId): string {
  return encodeId("ws", workspaceId);
}

async function sequences(workspaceId: WorkspaceId): Promise<readonly number[]> {
  const rows = await fixture.sql<{ sequence: string }[]>`
    select sequence from audit_entries where workspace_id = ${workspaceId} order by sequence`;
  return rows.map((row) => Number(row.sequence));
}
