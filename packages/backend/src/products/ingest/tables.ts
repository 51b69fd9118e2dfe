import type {
  ConnectionId,
  DataKeyId,
  InboxEntry,
  InboxId,
  InboxReplay,
  ProviderAppId,
  ReplayId,
  Run,
  RunId,
  RunModel,
  SourceId,
  TenantUid,
  WorkspaceId,
} from "@patchbay/shared";
import { sql } from "drizzle-orm";
import {
  bigint,
  boolean,
  foreignKey,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  smallint,
  text,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";
import { bytea, id, instant } from "../../platform/db/columns.ts";
import { connections } from "../../domain/connections/tables.ts";

/** An address that a provider posts to. One per connection for its own topics, one per provider app for app-wide ones. */
export const sources = pgTable(
  "sources",
  {
    workspaceId: id<WorkspaceId>().notNull(),
    id: id<SourceId>().notNull(),
    provider: text().notNull(),
    providerAppId: id<ProviderAppId>().notNull(),
    /** `null`: app-wide; accounts are told by each element. */
    connectionId: id<ConnectionId>(),
    createdAt: instant().notNull(),
    disabledAt: instant(),
  },
  (t) => [
    primaryKey({ columns: [t.workspaceId, t.id] }),
    uniqueIndex("sources_connection")
      .on(t.workspaceId, t.connectionId)
      .where(sql`connection_id is not null`),
  ],
);

/**
 * What arrived, as it arrived: append-only, range-partitioned by day on `received_at` (see the migration).
 * What became of it stands in {@link inboxOutcomes}.
 */
export const inbox = pgTable(
  "inbox",
  {
    workspaceId: id<WorkspaceId>().notNull(),
    receivedAt: instant().notNull(),
    id: id<InboxId>().notNull(),
    sourceId: id<SourceId>().notNull(),
    provider: text().notNull(),
    /** Kept headers, lower-case names. */
    headers: jsonb().$type<Record<string, string>>().notNull(),
    /** Sealed raw bytes, under a key per source and day. */
    body: bytea().notNull(),
    bodyKeyId: id<DataKeyId>().notNull(),
    bodyBytes: integer().notNull(),
    bodySha256: bytea().notNull(),
    /** Which of the app's secrets verified it: 0 the current one, 1 the previous. */
    secretIndex: smallint().notNull(),
  },
  (t) => [primaryKey({ columns: [t.workspaceId, t.receivedAt, t.id] })],
);

/** What the router made of one inbox item. */
export const inboxOutcomes = pgTable(
  "inbox_outcomes",
  {
    workspaceId: id<WorkspaceId>().notNull(),
    inboxId: id<InboxId>().notNull(),
    receivedAt: instant().notNull(),
    /** Element of a batch, from 0. */
    element: smallint().notNull(),
    status: text().$type<Exclude<InboxEntry["status"], "received">>().notNull(),
    problem: text(),
    topic: text(),
    connectionId: id<ConnectionId>(),
    tenantUid: id<TenantUid>(),
    /** Of an unrouted element: a hash of the account or connection that it waits for. See `waitingFor`. */
    waitsFor: bytea(),
    routedAt: instant().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.workspaceId, t.inboxId, t.element] }),
    index("inbox_outcomes_status").on(t.workspaceId, t.status, t.inboxId),
    index("inbox_outcomes_tenant")
      .on(t.workspaceId, t.tenantUid, t.connectionId, t.inboxId)
      .where(sql`tenant_uid is not null`),
    index("inbox_outcomes_waiting")
      .on(t.workspaceId, t.waitsFor, t.inboxId)
      .where(sql`waits_for is not null`),
  ],
);

/** A replay of what the inbox holds: of what, and how far it got. Worked in a lane of its own. */
export const inboxReplays = pgTable(
  "inbox_replays",
  {
    workspaceId: id<WorkspaceId>().notNull(),
    id: id<ReplayId>().notNull(),
    status: text().$type<InboxReplay["status"]>().notNull(),
    /** What was asked for by id; else the columns after it say what fits. */
    inboxIds: uuid().array().$type<InboxId[]>(),
    provider: text(),
    sourceId: id<SourceId>(),
    connectionId: id<ConnectionId>(),
    itemStatus: text().$type<InboxEntry["status"]>(),
    since: instant(),
    /** What comes after the replay began is not of it. */
    until: instant().notNull(),
    ratePerSecond: integer().notNull(),
    matched: integer(),
    replayed: integer().notNull().default(0),
    skipped: integer().notNull().default(0),
    failed: integer().notNull().default(0),
    /** The last delivery that was looked at: ids rise with the time of receipt. */
    position: id<InboxId>(),
    createdAt: instant().notNull(),
    finishedAt: instant(),
  },
  (t) => [primaryKey({ columns: [t.workspaceId, t.id] })],
);

/** Deliveries seen, for dropping copies early. Correctness does not rest on it. Pruned in batches. */
export const inboxDedupe = pgTable(
  "inbox_dedupe",
  {
    workspaceId: id<WorkspaceId>().notNull(),
    sourceId: id<SourceId>().notNull(),
    key: bytea().notNull(),
    seenAt: instant().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.workspaceId, t.sourceId, t.key] }),
    index("inbox_dedupe_seen_at").on(t.workspaceId, t.seenAt),
  ],
);

/** Objects of a connection that changed at the provider and must be read again. */
export const dirtyMarks = pgTable(
  "dirty_marks",
  {
    workspaceId: id<WorkspaceId>().notNull(),
    connectionId: id<ConnectionId>().notNull(),
    resource: text().notNull(),
    remoteId: text().notNull(),
    /** +1 per hint; the fetcher clears the mark only when it did not move. */
    generation: bigint({ mode: "number" }).notNull(),
    /** The hint was a deletion; confirmed by the read. */
    deletionHinted: boolean().notNull().default(false),
    /** Made by a replay: read when no live hint waits. */
    patient: boolean().notNull().default(false),
    attempts: integer().notNull().default(0),
    /** Receipt of the first hint since the mark was last clear. */
    hintedAt: instant().notNull(),
    nextAt: instant().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.workspaceId, t.connectionId, t.resource, t.remoteId] }),
    foreignKey({ columns: [t.workspaceId, t.connectionId], foreignColumns: [connections.workspaceId, connections.id] }),
  ],
);

export const runs = pgTable(
  "runs",
  {
    workspaceId: id<WorkspaceId>().notNull(),
    id: id<RunId>().notNull(),
    tenantUid: id<TenantUid>().notNull(),
    connectionId: id<ConnectionId>().notNull(),
    kind: text().$type<Run["kind"]>().notNull(),
    mode: text().$type<"incremental" | "full">().notNull(),
    status: text().$type<Run["status"]>().notNull(),
    models: jsonb().$type<RunModel[]>().notNull(),
    /** Where each resource stands: the next request and the window's start, so that a crash repeats one page at most. */
    cursors: jsonb().$type<Record<string, unknown>>().notNull().default({}),
    problem: text(),
    cancelRequestedAt: instant(),
    createdAt: instant().notNull(),
    startedAt: instant(),
    finishedAt: instant(),
  },
  (t) => [
    primaryKey({ columns: [t.workspaceId, t.id] }),
    uniqueIndex("runs_open")
      .on(t.workspaceId, t.connectionId)
      .where(sql`status in ('queued', 'running')`),
    index("runs_connection").on(t.workspaceId, t.connectionId, t.createdAt),
    foreignKey({ columns: [t.workspaceId, t.connectionId], foreignColumns: [connections.workspaceId, connections.id] }),
  ],
);

/** Up to when a resource of a connection was read completely. */
export const syncCursors = pgTable(
  "sync_cursors",
  {
    workspaceId: id<WorkspaceId>().notNull(),
    connectionId: id<ConnectionId>().notNull(),
    resource: text().notNull(),
    changedSince: instant().notNull(),
    updatedAt: instant().notNull(),
  },
  (t) => [primaryKey({ columns: [t.workspaceId, t.connectionId, t.resource] })],
);

/** Webhook subscriptions that we made at the provider. */
export const subscriptions = pgTable(
  "subscriptions",
  {
    workspaceId: id<WorkspaceId>().notNull(),
    connectionId: id<ConnectionId>().notNull(),
    topic: text().notNull(),
    remoteId: text().notNull(),
    uri: text().notNull(),
    checkedAt: instant().notNull(),
  },
  (t) => [primaryKey({ columns: [t.workspaceId, t.connectionId, t.topic] })],
);

/** Requests about a person's data that a provider forwarded; the statutory answer is 30 days. */
export const privacyRequests = pgTable(
  "privacy_requests",
  {
    workspaceId: id<WorkspaceId>().notNull(),
    id: uuid().notNull(),
    inboxId: id<InboxId>().notNull(),
    provider: text().notNull(),
    request: text().$type<"data_request" | "redact_customer" | "redact_account">().notNull(),
    receivedAt: instant().notNull(),
    settledAt: instant(),
  },
  (t) => [primaryKey({ columns: [t.workspaceId, t.id] })],
);
