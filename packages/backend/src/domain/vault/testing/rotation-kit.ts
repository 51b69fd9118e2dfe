import { decodeId, type TenantUid, type WorkspaceId } from "@patchbay/shared";
import { randomBytes, randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTestDatabase } from "../../../../../../test/harness/database.ts";
import { openDatabase } from "../../../platform/db/index.ts";
import { SEALED_COLUMNS } from "../../../sealed-columns.ts";
import { createWorkspace } from "../../workspaces/index.ts";
import {
  createVault,
  openLocalKeys,
  type Keys,
  type RotationAct,
  type RotationDeps,
  type RotationJournal,
  type Vault,
} from "../index.ts";

export type RotationKit = Awaited<ReturnType<typeof createRotationKit>>;

/** A database of its own, key files with any versions, and a clock that tests move. */
export async function createRotationKit() {
  const folder = await mkdtemp(join(tmpdir(), "patchbay-rotation-"));
  const db = await createTestDatabase();
  const database = openDatabase(db.connection, 10);
  const worker = database.as("patchbay_worker");
  const secrets = new Map<string, string>();
  let aheadMs = 0;
  const clock = { now: () => new Date(Date.now() + aheadMs) };
  const entered: { readonly workspaceId: WorkspaceId; readonly act: RotationAct }[] = [];
  const journal: RotationJournal = {
    open: async (workspaceId) => async (_, act) => void entered.push({ workspaceId, act }),
  };

  const keyFile = async (primary: string, ...others: readonly string[]): Promise<Keys> =>
    openLocalKeys(await keyPath(primary, ...others));
  const firstKeys = await keyFile("1");

  async function keyPath(primary: string, ...others: readonly string[]): Promise<string> {
    const path = join(folder, randomUUID());
    const lines = [primary, ...others].map((version) => {
      const secret = secrets.get(version) ?? randomBytes(32).toString("base64");
      secrets.set(version, secret);
      return `pbk1:${version}:${secret}${version === primary ? " primary" : ""}\n`;
    });
    await writeFile(path, lines.join(""), { mode: 0o400 });
    return path;
  }

  return {
    sql: db.sql,
    database,
    worker,
    clock,
    advance: (ms: number) => (aheadMs += ms),
    /** A file that holds these versions, the first one primary; the same version is always the same key. */
    keyFile,
    keyPath,
    deps: (keys: Keys = firstKeys): RotationDeps => ({
      database: worker,
      keys,
      clock,
      columns: SEALED_COLUMNS,
      journal,
    }),
    /** What was entered in a workspace's log, those of transactions that were rolled back too. */
    entered: (workspaceId: WorkspaceId) =>
      entered.filter((entry) => entry.workspaceId === workspaceId).map(({ act }) => act),
    /** As another process has it, with nothing remembered. */
    aVault: (keys: Keys = firstKeys): Vault => createVault({ withWorkspace: worker.withWorkspace, keys, clock }),
    async aWorkspace(): Promise<WorkspaceId> {
      const made = await createWorkspace({ withWorkspace: worker.withWorkspace, clock }, { name: "A", mode: "test" });
      const id = decodeId("ws", made.id);
      if (id === null) throw new Error("no workspace id");
      return id;
    },
    aTenant: () => randomUUID() as TenantUid,
    async close() {
      await database.close();
      await db.drop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
