import type { DataKeyId, TenantUid, WorkspaceId } from "@patchbay/shared";
import { sql } from "drizzle-orm";
import { index, pgTable, primaryKey, text, uniqueIndex, uuid } from "drizzle-orm/pg-core";
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
    destroyedAt: instant(),
  },
  (t) => [
    primaryKey({ columns: [t.workspaceId, t.id] }),
    uniqueIndex("data_keys_active")
      .on(t.workspaceId, t.tenantUid, t.purpose, t.scope)
      .where(sql`state = 'active'`),
  ],
);
