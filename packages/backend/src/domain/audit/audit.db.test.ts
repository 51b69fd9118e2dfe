import { decodeId, type WorkspaceId } from "@patchbay/shared";
import { sql } from "drizzle-orm";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../../../../test/harness/database.ts";
import { openDatabase, type Database, type Role } from "../../platform/db/index.ts";
import { systemClock } from "../../platform/runtime/index.ts";
import { createVault, openLocalKeys } from "../vault/index.ts";
import { createWorkspace } from "../workspaces/index.ts";
import { createAudit, type Audit, type AuditAct } from "./index.ts";

let fixture: TestDatabase;
let database: Database;
let audit: Audit;
let folder = "";

beforeAll(async () => {
  fixture = await createTestDatabase();
  database = openDatabase(fixture.connection, 6);
  folder = await mkdtemp(join(tmpdir(), "patchbay-audit-"));
  await writeFile(join(folder, "keys"), `pbk1:1:${randomBytes(32).toString("base64")}\n`, { mode: 0o400 });
  const { withWorkspace } = database.as("patchbay_app");
  const vault = createVault({ withWorkspace, keys: await openLocalKeys(join(folder, "keys")), clock: systemClock });
  audit = createAudit({ withWorkspace, vault, clock: systemClock });
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

async function sequences(workspaceId: WorkspaceId): Promise<readonly number[]> {
  const rows = await fixture.sql<{ sequence: string }[]>`
    select sequence from audit_entries where workspace_id = ${workspaceId} order by sequence`;
  return rows.map((row) => Number(row.sequence));
}
