import {
  encodeId,
  type Attempt,
  type Delivery,
  type EndpointSnapshot,
  type SignWith,
  type WebhookEndpoint,
} from "@patchbay/shared";
import type { attempts, deliveries, endpoints } from "./tables.ts";

/** @param tenantIds the host's ids of the tenants that it is for; `null`: all */
export function toWebhookEndpoint(
  row: typeof endpoints.$inferSelect,
  tenantIds: readonly string[] | null,
): WebhookEndpoint {
  return { ...toSnapshot(row), tenantIds };
}

export function toSnapshot(row: typeof endpoints.$inferSelect): EndpointSnapshot {
  return {
    id: encodeId("we", row.id),
    url: row.url,
    description: row.description,
    types: row.types,
    models: row.models,
    providers: row.providers,
    ratePerSecond: row.ratePerSecond,
    maxInFlight: row.maxInFlight,
    order: row.deliveryOrder,
    payload: row.payload,
    status: row.status,
    disabledReason: row.disabledReason,
    createdAt: row.createdAt.toISOString(),
  };
}

/**
 * @param tenantId the host's id of the tenant; `null` when erased, or when the event concerns none
 * @param openUntil when its endpoint's break ends
 */
export function toApiDelivery(
  row: typeof deliveries.$inferSelect,
  tenantId: string | null,
  openUntil: Date | null = null,
): Delivery {
  const { nextAttemptAt } = row;
  const waits = nextAttemptAt !== null && openUntil !== null && openUntil > nextAttemptAt;
  return {
    id: encodeId("dlv", row.id),
    endpointId: encodeId("we", row.endpointId),
    eventId: encodeId("evt", row.eventId),
    eventType: row.eventType,
    tenantId,
    status: row.status,
    signWith: row.signWith,
    attempts: row.attempts,
    nextAttemptAt: (waits ? openUntil : nextAttemptAt)?.toISOString() ?? null,
    createdAt: row.createdAt.toISOString(),
    finishedAt: row.finishedAt?.toISOString() ?? null,
  };
}

export function toApiAttempt(row: typeof attempts.$inferSelect, signedWith: SignWith): Attempt {
  return {
    id: encodeId("att", row.id),
    deliveryId: encodeId("dlv", row.deliveryId),
    eventId: encodeId("evt", row.eventId),
    number: row.number,
    signedWith,
    statusCode: row.statusCode,
    problem: row.problem,
    durationMs: row.durationMs,
    responseBody: row.responseBody,
    startedAt: row.startedAt.toISOString(),
  };
}
