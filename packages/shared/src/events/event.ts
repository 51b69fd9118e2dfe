import { z } from "zod";
import type { Connection } from "../api/connections.ts";
import type { Run } from "../api/runs.ts";
import { MODEL_NAMES, type ModelName } from "../models/names.ts";
import { PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX } from "../pagination.ts";

export type RecordEventType = `${ModelName}.${"created" | "updated" | "deleted"}`;
export const OPERATIONAL_EVENT_TYPES = [
  "connection.activated",
  "connection.degraded",
  "connection.reauthorizationRequired",
  "connection.recovered",
  "connection.revoked",
  "connection.disconnected",
  "authorization.completed",
  "authorization.failed",
  "authorization.expired",
  "run.started",
  "run.progress",
  "run.completed",
  "run.partial",
  "run.failed",
  "endpoint.failing",
  "endpoint.recovered",
  "endpoint.disabled",
  "endpoint.test",
  "privacy.redactRequested",
] as const;
export type OperationalEventType = (typeof OPERATIONAL_EVENT_TYPES)[number];
export type EventType = RecordEventType | OperationalEventType;

/**
 * One thing the host is told, in the feed and in deliveries alike.
 *
 * `id` is constant over retries and replays: a receiver that drops ids it has seen acts once.
 */
export interface PatchbayEvent<Data = EventData> {
  /** `evt_…`; equals the `webhook-id` header. */
  readonly id: string;
  readonly type: EventType;
  /** When it happened; our clock, RFC 3339 UTC. */
  readonly timestamp: string;
  readonly mode: "live" | "test";
  /** `null` for what concerns the workspace as a whole. */
  readonly tenantId: string | null;
  readonly connection: { readonly id: string; readonly provider: string; readonly providerAccountId: string } | null;
  readonly data: Data;
}
export type EventData = RecordEventData | ConnectionEventData | RunEventData | Readonly<Record<string, unknown>>;

/** Data of `<model>.created|updated|deleted`. */
export interface RecordEventData {
  /** The record after the change: a value of the model named by its `object`. */
  readonly object: Readonly<Record<string, unknown>> & { readonly id: string; readonly object: ModelName };
  /** Names of the fields that changed; empty when created. */
  readonly changedFields: readonly string[];
  /** Former values of `changedFields`. */
  readonly previous: Readonly<Record<string, unknown>>;
  /** `write`: an echo of the host's own write-back. */
  readonly origin: "provider" | "write";
}
export interface ConnectionEventData {
  readonly connection: Connection;
}
export interface RunEventData {
  readonly run: Run;
}

const recordEventTypes = MODEL_NAMES.flatMap((model) => [
  `${model}.created` as const,
  `${model}.updated` as const,
  `${model}.deleted` as const,
]);
export const EVENT_TYPES: readonly EventType[] = [...recordEventTypes, ...OPERATIONAL_EVENT_TYPES];

export const PatchbayEvent: z.ZodType<PatchbayEvent> = z
  .strictObject({
    id: z.string(),
    type: z.enum([...recordEventTypes, ...OPERATIONAL_EVENT_TYPES]),
    timestamp: z.iso.datetime(),
    mode: z.enum(["live", "test"]),
    tenantId: z.string().nullable(),
    connection: z.strictObject({ id: z.string(), provider: z.string(), providerAccountId: z.string() }).nullable(),
    data: z.record(z.string(), z.unknown()),
  })
  .meta({ id: "Event" });

/** Query of `GET /v1/events`: the feed, by position, oldest first. `after`: a cursor; absent: from the beginning. */
export const ListEventsQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(PAGE_SIZE_MAX).default(PAGE_SIZE_DEFAULT),
  after: z.string().min(1).max(512).optional(),
  /** Only this type. */
  type: z.string().max(80).optional(),
  tenantId: z.string().max(128).optional(),
  /** `latest`: an empty page whose cursor is the newest position. */
  from: z.enum(["start", "latest"]).default("start"),
});

/** Query of `GET /v1/events/stream`. A `Last-Event-ID` header takes the place of `after`. */
export const StreamEventsQuery = z.strictObject({
  after: z.string().min(1).max(512).optional(),
  type: z.string().max(80).optional(),
  tenantId: z.string().max(128).optional(),
  /** Where to begin without `after`. */
  from: z.enum(["start", "latest"]).default("latest"),
  /** Ends the stream after this long; the reader comes again with its last id. 1 to 3600, default 900. */
  seconds: z.coerce.number().int().min(1).max(3_600).default(900),
});
