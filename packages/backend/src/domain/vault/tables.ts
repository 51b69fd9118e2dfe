import type { DataKeyId, TenantUid, WorkspaceId } from "@patchbay/shared";
import { sql } from "drizzle-orm";
import { bigint, index, integer, jsonb, pgTable, primaryKey, text, uniqueIndex, uuid } from "drizzle-orm/pg-core";
import { bytea, id, instant } from "../../platform/db/columns.ts";

/** One per key-encryption key version: proves at start that the configured key is the right one. */
export const vaultCanaries = pgTable("vault_canaries", {
  kekVersion: text().primaryKey(),
  provider: text().notNull(),
  wrapped: bytea().notNull(),
  keyCheck: bytea().notNull(),
  createdAt: instant().notNull(),
});

/** Wraps the workspace's data keys; itself wrapped by the key-encryption key outside the database. */
export const workspaceKeys = pgTable(
  "workspace_keys",
  {
    workspaceId: id<WorkspaceId>().notNull(),
    id: uuid().notNull(),
    state: text().$type<"active" | "decrypt_only" | "destroyed">().notNull(),
    provider: text().notNull(),
    kekVersion: text().notNull(),
    wrapped: bytea().notNull(),
    /** First 8 bytes of HMAC-SHA256(key, "pb.kcv"). */
    keyCheck: bytea().notNull(),
    createdAt: instant().notNull(),
    decryptOnlySince: instant(),
  },
  (t) => [
    primaryKey({ columns: [t.workspaceId, t.id] }),
    uniqueIndex("workspace_keys_active")
      .on(t.workspaceId)
      .where(sql`state = 'active'`),
    index("workspace_keys_kek").on(t.workspaceId, t.kekVersion),
  ],
);

export const dataKeys = pgTable(
  "data_keys",
  {
    workspaceId: id<WorkspaceId>().notNull(),
    id: id<DataKeyId>().notNull(),
    /** The nil UUID for keys of the workspace itself. */
    tenantUid: id<TenantUid>().notNull(),
    purpose: text().notNull(),
    /** What within the purpose the key is for: a grant's id, a source and day; empty when there is one key only. */
    scope: text().notNull().default(""),
    state: text().$type<"active" | "decrypt_only" | "destroyed">().notNull(),
    workspaceKeyId: uuid().notNull(),
    wrapped: bytea().notNull(),
    keyCheck: bytea().notNull(),
    createdAt: instant().notNull(),
    decryptOnlySince: instant(),
    destroyedAt: instant(),
  },
  (t) => [
    primaryKey({ columns: [t.workspaceId, t.id] }),
    uniqueIndex("data_keys_active")
      .on(t.workspaceId, t.tenantUid, t.purpose, t.scope)
      .where(sql`state = 'active'`),
  ],
);

/** Where a pass of a rotation stands: the next column and the row before which all is done. */
export interface RotationPosition {
  readonly column: string;
  readonly after: string | null;
  /** What this pass met on the way and could not open. */
  readonly unopened?: number;
}

/** How far the renewal of a workspace's keys is. What the keys themselves are stands in their rows. */
export const keyRotations = pgTable(
  "key_rotations",
  {
    workspaceId: id<WorkspaceId>().notNull(),
    id: uuid().notNull(),
    /** Which layer gets new keys. */
    kind: text().$type<"data" | "workspace_key">().notNull(),
    /** `waiting`: everything found was renewed, and old keys may still be in use by some process. */
    state: text().$type<"running" | "waiting" | "done">().notNull(),
    pass: integer().notNull().default(1),
    passStartedAt: instant().notNull(),
    /** `null`: at the start of the pass. */
    position: jsonb().$type<RotationPosition>(),
    /** Values under old keys that this pass met. */
    found: bigint({ mode: "number" }).notNull().default(0),
    renewed: bigint({ mode: "number" }).notNull().default(0),
    /** Keys that this rotation made old, and how many of the old ones it destroyed. */
    retired: integer().notNull().default(0),
    destroyed: integer().notNull().default(0),
    nextPassAt: instant(),
    startedAt: instant().notNull(),
    finishedAt: instant(),
  },
  (t) => [
    primaryKey({ columns: [t.workspaceId, t.id] }),
    uniqueIndex("key_rotations_open")
      .on(t.workspaceId, t.kind)
      .where(sql`state <> 'done'`),
  ],
);

/** One per running process: which key-encryption keys it holds. */
export const vaultNodes = pgTable("vault_nodes", {
  nodeId: uuid().primaryKey(),
  /** `<provider> <version>`, the one that wraps first. */
  versions: text().array().notNull(),
  startedAt: instant().notNull(),
  seenAt: instant().notNull(),
});
