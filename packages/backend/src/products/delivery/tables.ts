import type {
  AttemptId,
  DeliveryId,
  DeliveryOrder,
  DeliveryReplay,
  DeliveryReplayId,
  DeliveryStatus,
  EndpointId,
  EventId,
  EventPayload,
  EventType,
  ModelName,
  RecordId,
  SignWith,
  TenantUid,
  WorkspaceId,
} from "@patchbay/shared";
import { sql } from "drizzle-orm";
import { bigint, foreignKey, index, integer, pgTable, primaryKey, text, uniqueIndex, uuid } from "drizzle-orm/pg-core";
import { bytea, id, instant } from "../../platform/db/columns.ts";
import { events } from "../../domain/events/tables.ts";

export const endpoints = pgTable(
  "endpoints",
  {
    workspaceId: id<WorkspaceId>().notNull(),
    id: id<EndpointId>().notNull(),
    url: text().notNull(),
    description: text(),
    /** Filters; `null`: all. */
    types: text().array(),
    models: text().array().$type<ModelName[]>(),
    /** Empty when every tenant that it was for is erased: nothing passes. */
    tenantUids: uuid().array().$type<TenantUid[]>(),
    providers: text().array(),
    payload: text().$type<EventPayload>().notNull().default("full"),
    /** Requests begun per second, and under way at the same time; `null`: as many as we can. */
    ratePerSecond: integer(),
    maxInFlight: integer(),
    deliveryOrder: text().$type<DeliveryOrder>().notNull().default("none"),
    status: text().$type<"enabled" | "disabled">().notNull(),
    disabledReason: text(),
    /** Events at or before this position are not for it: it was made later. */
    sincePosition: bigint({ mode: "number" }).notNull().default(0),
    /** The highest position of a delivery that is forgotten: up to there nobody knows what it never got. */
    forgottenPosition: bigint({ mode: "number" }).notNull().default(0),
    failingSince: instant(),
    lastSuccessAt: instant(),
    /** Breaker: no attempt before this instant. */
    openUntil: instant(),
    /** Rises with each failure, falls by two with each success: at ten the breaker opens (see `endpoint-health.ts`). */
    consecutiveFailures: integer().notNull().default(0),
    createdAt: instant().notNull(),
    updatedAt: instant().notNull(),
    deletedAt: instant(),
  },
  (t) => [primaryKey({ columns: [t.workspaceId, t.id] })],
);

/** Signing secrets, newest first; several live during a rotation. */
export const endpointSecrets = pgTable(
  "endpoint_secrets",
  {
    workspaceId: id<WorkspaceId>().notNull(),
    id: uuid().notNull(),
    endpointId: id<EndpointId>().notNull(),
    secret: bytea().notNull(),
    createdAt: instant().notNull(),
    expiresAt: instant(),
  },
  (t) => [
    primaryKey({ columns: [t.workspaceId, t.id] }),
    index("endpoint_secrets_endpoint").on(t.workspaceId, t.endpointId, t.createdAt),
    foreignKey({ columns: [t.workspaceId, t.endpointId], foreignColumns: [endpoints.workspaceId, endpoints.id] }),
  ],
);

export const deliveries = pgTable(
  "deliveries",
  {
    workspaceId: id<WorkspaceId>().notNull(),
    id: id<DeliveryId>().notNull(),
    endpointId: id<EndpointId>().notNull(),
    eventId: id<EventId>().notNull(),
    eventType: text().$type<EventType>().notNull(),
    tenantUid: id<TenantUid>().notNull(),
    /** The event's place in the feed; `null` for a test, which is sent to one endpoint beside the feed. */
    position: bigint({ mode: "number" }),
    status: text().$type<DeliveryStatus>().notNull(),
    attempts: integer().notNull().default(0),
    /** Attempts made before the retry schedule last began anew, by hand. */
    scheduleOffset: integer().notNull().default(0),
    nextAttemptAt: instant(),
    /** The record that it is about, where an endpoint wants those in order. */
    orderKey: id<RecordId>(),
    /** The replay that sent it last; `null`: none did. */
    replayId: id<DeliveryReplayId>(),
    /** Only tests are ever signed with less than every live secret. */
    signWith: text().$type<SignWith>().notNull().default("all"),
    createdAt: instant().notNull(),
    finishedAt: instant(),
  },
  (t) => [
    primaryKey({ columns: [t.workspaceId, t.id] }),
    uniqueIndex("deliveries_event").on(t.workspaceId, t.endpointId, t.eventId),
    index("deliveries_replay")
      .on(t.workspaceId, t.replayId, t.status)
      .where(sql`replay_id is not null`),
    index("deliveries_in_order")
      .on(t.workspaceId, t.endpointId, t.orderKey, t.position)
      .where(sql`order_key is not null and status <> 'delivered'`),
    index("deliveries_endpoint").on(t.workspaceId, t.endpointId, t.id),
    index("deliveries_by_event").on(t.workspaceId, t.eventId),
    index("deliveries_status").on(t.workspaceId, t.status, t.id),
    index("deliveries_open")
      .on(t.workspaceId, t.endpointId, t.position)
      .where(sql`status in ('pending', 'held', 'waiting')`),
    foreignKey({ columns: [t.workspaceId, t.endpointId], foreignColumns: [endpoints.workspaceId, endpoints.id] }),
    foreignKey({ columns: [t.workspaceId, t.eventId], foreignColumns: [events.workspaceId, events.id] }),
  ],
);

/** Sending again what an endpoint had, or should have had: what it is of, and how far it got. */
export const deliveryReplays = pgTable(
  "delivery_replays",
  {
    workspaceId: id<WorkspaceId>().notNull(),
    id: id<DeliveryReplayId>().notNull(),
    endpointId: id<EndpointId>().notNull(),
    status: text().$type<DeliveryReplay["status"]>().notNull(),
    eventIds: uuid().array().$type<EventId[]>(),
    type: text().$type<EventType>(),
    ofTenantUid: id<TenantUid>(),
    since: instant(),
    until: instant(),
    only: text().$type<"failed" | "missing">(),
    ratePerSecond: integer().notNull(),
    matched: integer(),
    replayed: integer().notNull().default(0),
    /** Of the last event that was looked at. */
    position: bigint({ mode: "number" }).notNull().default(0),
    /** The newest event when it began: later ones are not of it. */
    untilPosition: bigint({ mode: "number" }).notNull(),
    createdAt: instant().notNull(),
    finishedAt: instant(),
  },
  (t) => [
    primaryKey({ columns: [t.workspaceId, t.id] }),
    foreignKey({ columns: [t.workspaceId, t.endpointId], foreignColumns: [endpoints.workspaceId, endpoints.id] }),
  ],
);

export const attempts = pgTable(
  "attempts",
  {
    workspaceId: id<WorkspaceId>().notNull(),
    id: id<AttemptId>().notNull(),
    deliveryId: id<DeliveryId>().notNull(),
    endpointId: id<EndpointId>().notNull(),
    eventId: id<EventId>().notNull(),
    number: integer().notNull(),
    statusCode: integer(),
    problem: text(),
    durationMs: integer().notNull(),
    /** First 16 KiB of the answer. */
    responseBody: text(),
    startedAt: instant().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.workspaceId, t.id] }),
    index("attempts_endpoint").on(t.workspaceId, t.endpointId, t.id),
    index("attempts_delivery").on(t.workspaceId, t.deliveryId, t.number),
    index("attempts_with_answer")
      .on(t.workspaceId, t.id)
      .where(sql`response_body is not null`),
  ],
);
