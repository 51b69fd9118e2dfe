import type { ErasureId, GrantId, SourceId, TenantUid, WorkspaceId } from "@patchbay/shared";
import { integer, jsonb, pgTable, primaryKey, text, uniqueIndex, uuid } from "drizzle-orm/pg-core";
import { id, instant } from "../../platform/db/columns.ts";

/** One erasure of a tenant: how far it got, and its receipt. Stays; holds ids, counts and times only. */
export const erasures = pgTable(
  "erasures",
  {
    workspaceId: id<WorkspaceId>().notNull(),
    id: id<ErasureId>().notNull(),
    tenantUid: id<TenantUid>().notNull(),
    status: text().$type<"erasing" | "completed">().notNull(),
    requestedAt: instant().notNull(),
    shreddedAt: instant().notNull(),
    completedAt: instant(),
    keysDestroyed: integer().notNull(),
    /** Table → rows removed so far. */
    rowsRemoved: jsonb().$type<Record<string, number>>().notNull().default({}),
    /** Grants that the tenant used, and that are neither given back nor known to be shared. */
    openGrants: uuid().array().$type<GrantId[]>().notNull().default([]),
    grantsDestroyed: integer().notNull().default(0),
    grantsShared: integer().notNull().default(0),
    /** Destroyed without the provider having been told. */
    grantsUntold: integer().notNull().default(0),
    /** Webhook addresses that were the tenant's own: what still arrives at them is shredded too. */
    sources: uuid().array().$type<SourceId[]>().notNull().default([]),
    /** Of the key-encryption key, as they wrapped the workspace's keys when the tenant's were destroyed. */
    keyVersions: text().array().notNull(),
    /** When the last raw delivery from before the erasure is dropped. */
    rawUntil: instant().notNull(),
    /** As the operator had set it; `null`: unknown. */
    backupRetentionDays: integer(),
  },
  (t) => [
    primaryKey({ columns: [t.workspaceId, t.id] }),
    uniqueIndex("erasures_tenant").on(t.workspaceId, t.tenantUid),
  ],
);
