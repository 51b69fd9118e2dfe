import { decodeId, type TenantUid, type WorkspaceId } from "@patchbay/shared";
import { randomUUID } from "node:crypto";
import { createTestDatabase } from "../../../../../../test/harness/database.ts";
import { openDatabase, type Database } from "../../../platform/db/index.ts";
import { systemClock, type Clock } from "../../../platform/runtime/index.ts";
import { createWorkspace } from "../../workspaces/index.ts";
import type { DataKeySpec } from "../data-keys.ts";
import type { Place } from "../envelope.ts";

export const PLACE: Place = { table: "records", rowId: "row", column: "raw", rowVersion: 1 };
export const PLAIN = Buffer.from("what the provider sent");

/** A database, and as many pools on it as there are to be processes. */
export async function openVaultWorld(processes: number) {
  const db = await createTestDatabase();
  const databases = Array.from({ length: processes }, () => openDatabase(db.connection, 3));
  return {
    sql: db.sql,
    process(index: number): Database {
      const database = databases[index];
      if (database === undefined) throw new Error("no such process");
      return database;
    },
    async [Symbol.asyncDispose]() {
      for (const database of databases) await database.close();
      await db.drop();
    },
  };
}

/** A data key's name in a workspace of its own. */
export async function aSpec(database: Database): Promise<DataKeySpec & { readonly workspaceId: WorkspaceId }> {
  const made = await createWorkspace(
    { withWorkspace: database.as("patchbay_worker").withWorkspace, clock: systemClock },
    { name: "A", mode: "test" },
  );
  const workspaceId = decodeId("ws", made.id);
  if (workspaceId === null) throw new Error("no workspace id");
  return { workspaceId, tenantUid: randomUUID() as TenantUid, purpose: "payload" };
}

/** A clock that stands still until it is moved. */
export function aClock(): Clock & { pass(ms: number): void } {
  let now = Date.now();
  return { now: () => new Date(now), pass: (ms) => void (now += ms) };
}
