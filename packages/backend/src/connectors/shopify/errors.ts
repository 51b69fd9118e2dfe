import { z } from "zod";
import type { BudgetObservation, ProviderFault, ProviderResponse } from "../kit/index.ts";

/** GraphQL faults come with status 200, so the body is read first. */
export function classify(response: ProviderResponse): ProviderFault | null {
  const status = byStatus(response);
  if (status !== null) return status;
  const body = Body.safeParse(response.body).data;
  if (body === undefined) return response.status === 200 ? { kind: "unavailable" } : null;
  return byErrors(body) ?? byUserErrors(body.data ?? {});
}

/** What `extensions.cost` says of the bucket, which is per app and shop. */
export function observe(response: ProviderResponse): BudgetObservation | null {
  const cost = Body.safeParse(response.body).data?.extensions?.cost;
  if (!cost) return null;
  const { maximumAvailable, currentlyAvailable, restoreRate } = cost.throttleStatus;
  return {
    limit: maximumAvailable,
    remaining: currentlyAvailable,
    restorePerSecond: restoreRate,
    // `null` for a throttled call, which is not charged.
    cost: cost.actualQueryCost ?? 0,
  };
}

/** Fields of one item that this token may not read; Shopify answers `null` there and says so in `errors`. */
export interface DeniedField {
  /** Index of the item in its page. */
  readonly index: number;
  /** Path below the item without indices, such as `lineItems.nodes.product`. */
  readonly path: string;
  readonly reason: "scope_missing" | "protected_data";
}

export function deniedFields(response: ProviderResponse): readonly DeniedField[] {
  const errors = Body.safeParse(response.body).data?.errors;
  return Array.isArray(errors) ? errors.flatMap((error) => deniedField(error) ?? []) : [];
}

/** How long a shop that rejects us for its security is left alone when it does not say. */
const SECURITY_REJECTION_SECONDS = 60;

function byStatus({ status, headers }: ProviderResponse): ProviderFault | null {
  if (status === 401) return { kind: "reauthorize" };
  if (status === 403) return { kind: "missing_scope", scope: null };
  if (status === 404) return { kind: "gone" };
  // 402: the shop is frozen until its owner pays. 423: locked. Both may come back.
  if (status === 402 || status === 423) return { kind: "suspended" };
  if (status >= 500) return { kind: "unavailable" };
  if (status === 429) return { kind: "rate_limited", retryAfterSeconds: retryAfterSeconds(headers) };
  if (status === 430) {
    return { kind: "rate_limited", retryAfterSeconds: retryAfterSeconds(headers) ?? SECURITY_REJECTION_SECONDS };
  }
  return status >= 400 ? { kind: "rejected", fields: [] } : null;
}

function byErrors(body: Body): ProviderFault | null {
  if (body.errors === undefined) return null;
  if (typeof body.errors === "string") return { kind: "rejected", fields: [] };
  const errors = body.errors.filter((error) => deniedField(error) === null);
  const [first] = errors;
  if (first === undefined) return null;
  const codes = new Set(errors.map((error) => error.extensions?.code));
  if (codes.has("THROTTLED")) return { kind: "rate_limited", retryAfterSeconds: secondsUntilAffordable(body) };
  if (codes.has("MAX_COST_EXCEEDED")) return { kind: "too_large" };
  const denied = errors.find((error) => error.extensions?.code === "ACCESS_DENIED");
  if (denied) return { kind: "missing_scope", scope: requiredScope(denied) };
  if (codes.has("SHOP_INACTIVE")) return { kind: "suspended" };
  if (UNAVAILABLE_CODES.some((code) => codes.has(code))) return { kind: "unavailable" };
  return { kind: "rejected", fields: errors.flatMap((error) => error.extensions?.fieldName ?? []) };
}

const UNAVAILABLE_CODES = ["INTERNAL_SERVER_ERROR", "TIMEOUT"];

/**
 * A mutation that was refused. Creating a subscription is left to `parseCreate`, which tells the problem; deleting one
 * can only fail because it is gone.
 */
function byUserErrors(data: Readonly<Record<string, unknown>>): ProviderFault | null {
  for (const [field, payload] of Object.entries(data)) {
    const userErrors = Payload.safeParse(payload).data?.userErrors ?? [];
    if (userErrors.length === 0 || field === "webhookSubscriptionCreate") continue;
    if (field === "webhookSubscriptionDelete") return { kind: "gone" };
    return { kind: "rejected", fields: userErrors.flatMap((error) => error.field?.join(".") ?? []) };
  }
  return null;
}

/** A denial below an item leaves the item readable; one at or above it does not. */
function deniedField(error: GraphqlError): DeniedField | null {
  if (error.extensions?.code !== "ACCESS_DENIED") return null;
  const path = error.path ?? [];
  const at = path.findIndex((step) => typeof step === "number");
  const index = path[at];
  const below = path.slice(at + 1).filter((step) => typeof step === "string");
  if (typeof index !== "number" || below.length === 0) return null;
  const reason = requiredScope(error) === null ? "protected_data" : "scope_missing";
  return { index, path: below.join("."), reason };
}

/** From a text such as "`read_orders` access scope."; `null` when it names none. */
function requiredScope(error: GraphqlError): string | null {
  return /`((?:read|write)_[a-z_]+)`/.exec(error.extensions?.requiredAccess ?? "")?.[1] ?? null;
}

function secondsUntilAffordable(body: Body): number | null {
  const cost = body.extensions?.cost;
  if (!cost || cost.throttleStatus.restoreRate <= 0) return null;
  const missing = cost.requestedQueryCost - cost.throttleStatus.currentlyAvailable;
  return Math.max(0, missing / cost.throttleStatus.restoreRate);
}

/** Seconds, with a fraction, such as `2.0`. */
function retryAfterSeconds(headers: ProviderResponse["headers"]): number | null {
  const seconds = Number.parseFloat(headers["retry-after"] ?? "");
  return Number.isFinite(seconds) && seconds >= 0 ? seconds : null;
}

const GraphqlError = z.looseObject({
  path: z.array(z.union([z.string(), z.number()])).optional(),
  extensions: z
    .looseObject({
      code: z.string().optional(),
      requiredAccess: z.string().optional(),
      fieldName: z.string().optional(),
    })
    .optional(),
});
type GraphqlError = z.output<typeof GraphqlError>;

const Body = z.looseObject({
  data: z.record(z.string(), z.unknown()).nullish(),
  errors: z.union([z.array(GraphqlError), z.string()]).optional(),
  extensions: z
    .looseObject({
      cost: z
        .looseObject({
          requestedQueryCost: z.number(),
          actualQueryCost: z.number().nullable(),
          throttleStatus: z.looseObject({
            maximumAvailable: z.number(),
            currentlyAvailable: z.number(),
            restoreRate: z.number(),
          }),
        })
        .optional(),
    })
    .optional(),
});
type Body = z.output<typeof Body>;

const Payload = z.looseObject({
  userErrors: z.array(z.looseObject({ field: z.array(z.string()).nullish(), message: z.string() })),
});
