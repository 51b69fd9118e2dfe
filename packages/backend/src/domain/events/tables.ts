import type {
  ConnectionId,
  DataKeyId,
  EventId,
  EventType,
  ModelName,
  RecordId,
  TenantUid,
  WorkspaceId,
} from "@patchbay/shared";
import { sql } from "drizzle-orm";
import { bigint, index, integer, pgTable, primaryKey, text, uniqueIndex } from "drizzle-orm/pg-core";
import { bytea, id, instant } from "../../platform/db/columns.ts";

export const events = pgTable(
  "events",
  {
    workspaceId: id<WorkspaceId>().notNull(),
    id: id<EventId>().notNull(),
    /** The nil UUID for workspace-level events. */
    tenantUid: id<TenantUid>().notNull(),
    connectionId: id<ConnectionId>(),
    type: text().$type<EventType>().notNull(),
    model: text().$type<ModelName>(),
    recordId: id<RecordId>(),
    recordVersion: integer(),
    occurredAt: instant().notNull(),
    /** Sealed: the exact bytes that are signed and delivered. */
    body: bytea().notNull(),
    bodyKeyId: id<DataKeyId>().notNull(),
    /** Gapless within the workspace; `null` until the sequencer gave it one. */
    position: bigint({ mode: "number" }),
  },
  (t) => [
    primaryKey({ columns: [t.workspaceId, t.id] }),
    uniqueIndex("events_position")
      .on(t.workspaceId, t.position)
      .where(sql`position is not null`),
    index("events_tenant").on(t.workspaceId, t.tenantUid, t.id),
    index("events_unsequenced")
      .on(t.workspaceId, t.id)
      .where(sql`position is null`),
    uniqueIndex("events_record_version")
      .on(t.workspaceId, t.recordId, t.recordVersion)
      .where(sql`record_id is not null`),
  ],
);

/** The head of a workspace's feed. Its row lock orders sequencers: who waited for it finds those events placed. */
export const eventHeads = pgTable("event_heads", {
  workspaceId: id<WorkspaceId>().primaryKey(),
  /** Raised by a restore, so that old cursors are recognized. */
  epoch: integer().notNull().default(1),
  position: bigint({ mode: "number" }).notNull().default(0),
});
