import { z } from "zod";
import { MODEL_NAMES, type ModelName } from "../models/names.ts";
import { pageQuery } from "../pagination.ts";
import { tenantId } from "./tenants.ts";

export const EVENT_PAYLOADS = ["full", "thin"] as const;
/**
 * What events about records carry. `full`: the record and its former values. `thin`: which version of which record,
 * and what changed; you read the record yourself, so that nothing of it passes through your logs and queues.
 */
export type EventPayload = (typeof EVENT_PAYLOADS)[number];

export const DELIVERY_ORDERS = ["none", "perRecord"] as const;
/**
 * `none`: in order as long as all goes well; what fails is passed by. `perRecord`: an event of a record waits until all
 * earlier ones of it arrived. A dead letter holds the later ones back until it is retried.
 */
export type DeliveryOrder = (typeof DELIVERY_ORDERS)[number];

/** A URL of the host that events are delivered to. It gets what passes all of its filters. */
export interface WebhookEndpoint {
  /** `we_…` */
  readonly id: string;
  readonly url: string;
  readonly description: string | null;
  /** Event types wanted, exact or `<model>.*`; `null`: all. */
  readonly types: readonly string[] | null;
  /** Record events only of these models; `null`: all. Other events are not touched by it. */
  readonly models: readonly ModelName[] | null;
  /**
   * Only events of these tenants, and none that concern the whole workspace; `null`: all. Erased tenants are taken out:
   * empty when none is left, and then nothing is delivered.
   */
  readonly tenantIds: readonly string[] | null;
  /** Only events of connections to these providers, and none that concern no connection; `null`: all. */
  readonly providers: readonly string[] | null;
  readonly payload: EventPayload;
  /** Requests begun per second, 1 to 1,000; `null`: as fast as it goes. */
  readonly ratePerSecond: number | null;
  /** Requests under way at the same time, 1 to 100; `null`: any number. */
  readonly maxInFlight: number | null;
  readonly order: DeliveryOrder;
  readonly status: "enabled" | "disabled";
  /** Why it was disabled: `by_host`, `gone` (answered 410), `failing`. */
  readonly disabledReason: string | null;
  readonly createdAt: string;
}
/** An endpoint as events show it: they outlive tenants, so that none is named in them. */
export type EndpointSnapshot = Omit<WebhookEndpoint, "tenantIds">;

const snapshotShape = {
  id: z.string(),
  url: z.string(),
  description: z.string().nullable(),
  types: z.array(z.string()).nullable(),
  models: z.array(z.enum(MODEL_NAMES)).nullable(),
  providers: z.array(z.string()).nullable(),
  payload: z.enum(EVENT_PAYLOADS),
  ratePerSecond: z.int().nullable(),
  maxInFlight: z.int().nullable(),
  order: z.enum(DELIVERY_ORDERS),
  status: z.enum(["enabled", "disabled"]),
  disabledReason: z.string().nullable(),
  createdAt: z.iso.datetime(),
};
const endpointShape = { ...snapshotShape, tenantIds: z.array(z.string()).nullable() };

export const EndpointSnapshot: z.ZodType<EndpointSnapshot> = z
  .strictObject(snapshotShape)
  .meta({ id: "EndpointSnapshot" });
export const WebhookEndpoint: z.ZodType<WebhookEndpoint> = z
  .strictObject(endpointShape)
  .meta({ id: "WebhookEndpoint" });

/** An endpoint with its signing secret, shown only when made or rotated. */
export interface WebhookEndpointWithSecret extends WebhookEndpoint {
  /** `whsec_…`, Standard Webhooks v1. */
  readonly secret: string;
}
export const WebhookEndpointWithSecret: z.ZodType<WebhookEndpointWithSecret> = z
  .strictObject({ ...endpointShape, secret: z.string() })
  .meta({ id: "WebhookEndpointWithSecret" });

export interface CreateWebhookEndpoint {
  readonly url: string;
  readonly description?: string | undefined;
  /** Leave a filter out for all; an empty one is refused. */
  readonly types?: readonly string[] | undefined;
  readonly models?: readonly ModelName[] | undefined;
  /** At most 100. */
  readonly tenantIds?: readonly string[] | undefined;
  readonly providers?: readonly string[] | undefined;
  /** Default `full`. */
  readonly payload?: EventPayload | undefined;
  /** 1 to 1,000; left out: as fast as it goes. */
  readonly ratePerSecond?: number | undefined;
  /** 1 to 100; left out: any number. Tenants are served one request at a time each. */
  readonly maxInFlight?: number | undefined;
  /** Default `none`. */
  readonly order?: DeliveryOrder | undefined;
}
const ratePerSecond = z.int().min(1).max(1_000);
const maxInFlight = z.int().min(1).max(100);
const EMPTY_FILTER = "an empty filter would let nothing through: name at least one, or leave it out for all";
const filterOf = <T>(item: z.ZodType<T>) => z.array(item).min(1, EMPTY_FILTER).max(100);
const eventType = z
  .string()
  .regex(/^[a-z][A-Za-z]*\.([a-z][A-Za-z]*|\*)$/, "an event type such as order.created or order.*");
export const CreateWebhookEndpoint: z.ZodType<CreateWebhookEndpoint> = z
  .strictObject({
    url: z.url().max(2000),
    description: z.string().max(500).optional(),
    types: filterOf(eventType).optional(),
    models: filterOf(z.enum(MODEL_NAMES)).optional(),
    tenantIds: filterOf(tenantId).optional(),
    providers: filterOf(z.string().min(1).max(40)).optional(),
    payload: z.enum(EVENT_PAYLOADS).optional(),
    ratePerSecond: ratePerSecond.optional(),
    maxInFlight: maxInFlight.optional(),
    order: z.enum(DELIVERY_ORDERS).optional(),
  })
  .meta({ id: "CreateWebhookEndpoint" });

export interface UpdateWebhookEndpoint {
  readonly url?: string | undefined;
  readonly description?: string | null | undefined;
  /** `null` takes a filter away: all again. */
  readonly types?: readonly string[] | null | undefined;
  readonly models?: readonly ModelName[] | null | undefined;
  readonly tenantIds?: readonly string[] | null | undefined;
  readonly providers?: readonly string[] | null | undefined;
  /** Counts for what is sent from now on, retries included. */
  readonly payload?: EventPayload | undefined;
  /** `null` takes a limit away. */
  readonly ratePerSecond?: number | null | undefined;
  readonly maxInFlight?: number | null | undefined;
  /** `perRecord` counts for events from now on; `none` sends at once what waits. */
  readonly order?: DeliveryOrder | undefined;
  readonly status?: "enabled" | "disabled" | undefined;
}
export const UpdateWebhookEndpoint: z.ZodType<UpdateWebhookEndpoint> = z
  .strictObject({
    url: z.url().max(2000).optional(),
    description: z.string().max(500).nullable().optional(),
    types: filterOf(eventType).nullable().optional(),
    models: filterOf(z.enum(MODEL_NAMES)).nullable().optional(),
    tenantIds: filterOf(tenantId).nullable().optional(),
    providers: filterOf(z.string().min(1).max(40)).nullable().optional(),
    payload: z.enum(EVENT_PAYLOADS).optional(),
    ratePerSecond: ratePerSecond.nullable().optional(),
    maxInFlight: maxInFlight.nullable().optional(),
    order: z.enum(DELIVERY_ORDERS).optional(),
    status: z.enum(["enabled", "disabled"]).optional(),
  })
  .meta({ id: "UpdateWebhookEndpoint" });

/** Body of `POST …/rotate-secret`. */
export interface RotateSecret {
  /** How long the old secret still signs too: 0–168 hours, default 24. */
  readonly graceHours?: number | undefined;
}
export const RotateSecret: z.ZodType<RotateSecret> = z
  .strictObject({ graceHours: z.number().min(0).max(168).optional() })
  .meta({ id: "RotateSecret" });

/** `all`: every secret that lives; `newest`: that one alone. */
export const SIGN_WITH = ["all", "newest"] as const;
export type SignWith = (typeof SIGN_WITH)[number];

/** Body of `POST …/test`. */
export interface TestWebhookEndpoint {
  /** `newest` proves, before the former secrets end, that the new one is in place. Default `all`, as real deliveries. */
  readonly signWith?: SignWith | undefined;
}
export const TestWebhookEndpoint: z.ZodType<TestWebhookEndpoint> = z
  .strictObject({ signWith: z.enum(SIGN_WITH).optional() })
  .meta({ id: "TestWebhookEndpoint" });

const DELIVERY_STATUSES = ["pending", "delivered", "failed", "held", "waiting", "skipped"] as const;
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];

/** One event for one endpoint. */
export interface Delivery {
  /** `dlv_…` */
  readonly id: string;
  readonly endpointId: string;
  readonly eventId: string;
  readonly eventType: string;
  readonly tenantId: string | null;
  /**
   * `held`: the endpoint is disabled. `failed`: a dead letter. `waiting`: an earlier event of its record has not arrived
   * (endpoints with `order: "perRecord"`). `skipped`: a dead letter that the host gave up.
   */
  readonly status: DeliveryStatus;
  /** `newest`: a test that only the endpoint's newest secret signs. */
  readonly signWith: SignWith;
  readonly attempts: number;
  readonly nextAttemptAt: string | null;
  readonly createdAt: string;
  readonly finishedAt: string | null;
}
export const Delivery: z.ZodType<Delivery> = z
  .strictObject({
    id: z.string(),
    endpointId: z.string(),
    eventId: z.string(),
    eventType: z.string(),
    tenantId: z.string().nullable(),
    status: z.enum(DELIVERY_STATUSES),
    signWith: z.enum(SIGN_WITH),
    attempts: z.int(),
    nextAttemptAt: z.iso.datetime().nullable(),
    createdAt: z.iso.datetime(),
    finishedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: "Delivery" });

/** One HTTP try of a delivery. */
export interface Attempt {
  readonly id: string;
  readonly deliveryId: string;
  readonly eventId: string;
  readonly number: number;
  readonly signedWith: SignWith;
  /** `null` when no answer came. */
  readonly statusCode: number | null;
  /** `timeout`, `connection_refused`, `dns`, `tls`, `blocked_address`, `redirect`, `status` … */
  readonly problem: string | null;
  readonly durationMs: number;
  /** First 16 KiB of the answer as text. */
  readonly responseBody: string | null;
  readonly startedAt: string;
}
export const Attempt: z.ZodType<Attempt> = z
  .strictObject({
    id: z.string(),
    deliveryId: z.string(),
    eventId: z.string(),
    number: z.int(),
    signedWith: z.enum(SIGN_WITH),
    statusCode: z.int().nullable(),
    problem: z.string().nullable(),
    durationMs: z.int(),
    responseBody: z.string().nullable(),
    startedAt: z.iso.datetime(),
  })
  .meta({ id: "Attempt" });

export const ListDeliveriesQuery = z.strictObject({
  ...pageQuery,
  endpointId: z.string().optional(),
  status: z.enum(DELIVERY_STATUSES).optional(),
});
