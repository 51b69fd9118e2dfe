import { z } from "zod";
import { pageQuery } from "../pagination.ts";
import { REPLAY_IDS_MAX, REPLAY_RATE_MAX } from "./inbox.ts";

/** Which events an endpoint gets again; everything given must hold, and its own filters too. */
export interface DeliveryReplayFilter {
  /** Exact, such as `order.updated`. */
  readonly type?: string | undefined;
  readonly tenantId?: string | undefined;
  /** Noted by Patchbay at or after. */
  readonly since?: string | undefined;
  /** Noted before. */
  readonly until?: string | undefined;
  /**
   * `failed`: dead letters alone. `missing`: alone what was never sent to this endpoint, since it was made, or its
   * filters were widened, later. Left out: both, and what was delivered. What is on its way already stays so.
   */
  readonly only?: "failed" | "missing" | undefined;
}
const filter = {
  type: z.string().min(1).max(100).optional(),
  tenantId: z.string().min(1).max(200).optional(),
  since: z.iso.datetime().optional(),
  until: z.iso.datetime().optional(),
  only: z.enum(["failed", "missing"]).optional(),
};

/** What to send again: events by id, or all that fit a filter with a beginning or with `only`. */
export interface ReplayDeliveries extends DeliveryReplayFilter {
  /** `evt_…`, at most 1,000. */
  readonly eventIds?: readonly string[] | undefined;
  /** Per second, 1 to 1,000; default 50. New events go first, whatever is said here. */
  readonly ratePerSecond?: number | undefined;
}
export const ReplayDeliveriesRequest: z.ZodType<ReplayDeliveries & { readonly dryRun?: boolean | undefined }> = z
  .strictObject({
    ...filter,
    eventIds: z.array(z.string().max(60)).min(1).max(REPLAY_IDS_MAX).optional(),
    ratePerSecond: z.int().min(1).max(REPLAY_RATE_MAX).optional(),
    /** Only counts. */
    dryRun: z.boolean().optional(),
  })
  .refine(({ eventIds, since, only }) => eventIds !== undefined || since !== undefined || only !== undefined, {
    message: "say which: eventIds, since, or only",
  })
  .meta({ id: "ReplayDeliveriesRequest" });

/** What a replay would be of. */
export interface DeliveryReplayPreview {
  readonly matches: number;
  /** `false`: at least as many; what there is was too much to count. */
  readonly exact: boolean;
}
export const DeliveryReplayPreview: z.ZodType<DeliveryReplayPreview> = z
  .strictObject({ matches: z.int(), exact: z.boolean() })
  .meta({ id: "DeliveryReplayPreview" });

/** A replay and how far it got. */
export interface DeliveryReplay {
  /** `drp_…`; its requests carry it in the header `patchbay-replay`. */
  readonly id: string;
  readonly endpointId: string;
  readonly status: "running" | "completed" | "canceled";
  readonly filter: DeliveryReplayFilter;
  /** How many were asked for by id; `null`: it goes by the filter. */
  readonly eventIds: number | null;
  readonly ratePerSecond: number;
  /** Counted when it began; `null`: too many to count. */
  readonly matches: number | null;
  /** Put on their way. */
  readonly replayed: number;
  /** Of those: arrived again. */
  readonly delivered: number;
  /** Of those: dead letters now. */
  readonly failed: number;
  readonly createdAt: string;
  /** When all were on their way, or it was canceled. */
  readonly finishedAt: string | null;
}
export const DeliveryReplay: z.ZodType<DeliveryReplay> = z
  .strictObject({
    id: z.string(),
    endpointId: z.string(),
    status: z.enum(["running", "completed", "canceled"]),
    filter: z.strictObject(filter),
    eventIds: z.int().nullable(),
    ratePerSecond: z.int(),
    matches: z.int().nullable(),
    replayed: z.int(),
    delivered: z.int(),
    failed: z.int(),
    createdAt: z.iso.datetime(),
    finishedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: "DeliveryReplay" });

export const ListDeliveryReplaysQuery = z.strictObject({ ...pageQuery, endpointId: z.string().max(60).optional() });
