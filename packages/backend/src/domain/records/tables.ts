import type { ConnectionId, DataKeyId, ModelName, RecordId, RunId, TenantUid, WorkspaceId } from "@patchbay/shared";
import {
  bigint,
  boolean,
  foreignKey,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uuid,
} from "drizzle-orm/pg-core";
import { bytea, id, instant } from "../../platform/db/columns.ts";
import { connections } from "../connections/tables.ts";

export const records = pgTable(
  "records",
  {
    workspaceId: id<WorkspaceId>().notNull(),
    /** Deterministic: hash of tenant, provider, account, mode, model, remote id. */
    id: id<RecordId>().notNull(),
    tenantUid: id<TenantUid>().notNull(),
    /** The connection that last wrote it. */
    connectionId: id<ConnectionId>().notNull(),
    provider: text().notNull(),
    accountId: text().notNull(),
    mode: text().$type<"live" | "test">().notNull(),
    model: text().$type<ModelName>().notNull(),
    remoteId: text().notNull(),
    /** The parent's remote id, for children that come only inside their parent. */
    parentRemoteId: text(),
    version: integer().notNull(),
    changeSeq: bigint({ mode: "bigint" }).notNull(),
    contentHash: bytea().notNull(),
    /** The provider's strictly rising version, where it has one. */
    sourceVersion: bigint({ mode: "bigint" }),
    projectionVersion: integer().notNull(),
    /** The read that the content came from, on our clock. */
    readStartedAt: instant().notNull(),
    readEndedAt: instant().notNull(),
    lastSeenAt: instant().notNull(),
    firstSeenAt: instant().notNull(),
    changedAt: instant().notNull(),
    remoteUpdatedAt: instant(),
    deleted: boolean().notNull().default(false),
    remoteDeletedAt: instant(),
    mergedIntoId: id<RecordId>(),
    /** The normalized fields, as checked by the model's schema. */
    data: jsonb().$type<Record<string, unknown>>().notNull(),
    /** Sealed bytes of what the provider sent; `null` for children, whose raw is their parent's. */
    raw: bytea(),
    bodyKeyId: id<DataKeyId>(),
  },
  (t) => [
    primaryKey({ columns: [t.workspaceId, t.id] }),
    index("records_by_change").on(t.workspaceId, t.tenantUid, t.model, t.changeSeq, t.id),
    index("records_by_connection").on(t.workspaceId, t.connectionId, t.model, t.lastSeenAt),
    index("records_by_parent").on(t.workspaceId, t.tenantUid, t.accountId, t.model, t.parentRemoteId),
    foreignKey({ columns: [t.workspaceId, t.connectionId], foreignColumns: [connections.workspaceId, connections.id] }),
  ],
);

/** One counter a tenant; taken last in the transaction that writes a batch. */
export const changeCounters = pgTable(
  "change_counters",
  {
    workspaceId: id<WorkspaceId>().notNull(),
    tenantUid: id<TenantUid>().notNull(),
    value: bigint({ mode: "bigint" }).notNull(),
  },
  (t) => [primaryKey({ columns: [t.workspaceId, t.tenantUid] })],
);

/** Objects that did not fit their schema: kept, counted, tried again after an upgrade of the connector. */
export const recordQuarantine = pgTable(
  "record_quarantine",
  {
    workspaceId: id<WorkspaceId>().notNull(),
    id: uuid().notNull(),
    tenantUid: id<TenantUid>().notNull(),
    connectionId: id<ConnectionId>().notNull(),
    runId: id<RunId>(),
    resource: text().notNull(),
    remoteId: text(),
    /** Path of the first field that did not fit. Never a value. */
    issuePath: text().notNull(),
    issueCode: text().notNull(),
    raw: bytea().notNull(),
    bodyKeyId: id<DataKeyId>().notNull(),
    createdAt: instant().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.workspaceId, t.id] }),
    index("record_quarantine_connection").on(t.workspaceId, t.connectionId, t.createdAt),
  ],
);
