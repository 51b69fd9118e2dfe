import { z } from "zod";
import { pageQuery } from "../pagination.ts";

const STATUSES = ["received", "routed", "duplicate", "ignored", "unrouted", "quarantined"] as const;
/**
 * `received`: not routed yet. `duplicate`: a copy of an earlier one. `ignored`: nothing that is kept. `unrouted`: no
 * such account now; routed by itself when the account is connected. `quarantined`: not understood.
 */
export type InboxStatus = (typeof STATUSES)[number];

/** One received provider webhook. */
export interface InboxEntry {
  /** `inb_…` */
  readonly id: string;
  readonly provider: string;
  /** Where it came in, `src_…`. */
  readonly sourceId: string;
  readonly topic: string | null;
  /** Of a batch: that of its first element that fits the filter. */
  readonly status: InboxStatus;
  /** Stable code when quarantined, or parked for a reason. */
  readonly problem: string | null;
  readonly connectionId: string | null;
  readonly receivedAt: string;
  readonly bodyBytes: number;
}
const inboxEntry = {
  id: z.string(),
  provider: z.string(),
  sourceId: z.string(),
  topic: z.string().nullable(),
  status: z.enum(STATUSES),
  problem: z.string().nullable(),
  connectionId: z.string().nullable(),
  receivedAt: z.iso.datetime(),
  bodyBytes: z.int(),
};
export const InboxEntry: z.ZodType<InboxEntry> = z.strictObject(inboxEntry).meta({ id: "InboxEntry" });

/** What became of one element of a webhook; most have one. */
export interface InboxElement {
  /** From 0. */
  readonly element: number;
  readonly status: InboxStatus;
  readonly problem: string | null;
  readonly topic: string | null;
  readonly connectionId: string | null;
  readonly routedAt: string;
}

/** A received webhook with all its elements, without its body. */
export interface InboxItem extends InboxEntry {
  /** Hex, of the raw bytes. */
  readonly bodySha256: string;
  /** At most 1,000; none while it waits for the router. */
  readonly elements: readonly InboxElement[];
}
export const InboxItem: z.ZodType<InboxItem> = z
  .strictObject({
    ...inboxEntry,
    bodySha256: z.string(),
    elements: z.array(
      z.strictObject({
        element: z.int(),
        status: z.enum(STATUSES),
        problem: z.string().nullable(),
        topic: z.string().nullable(),
        connectionId: z.string().nullable(),
        routedAt: z.iso.datetime(),
      }),
    ),
  })
  .meta({ id: "InboxItem" });

/** A received webhook as it was sent. */
export interface InboxRaw {
  /** Those that the connector keeps, lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** The raw bytes, base64. */
  readonly body: string;
}
export const InboxRaw: z.ZodType<InboxRaw> = z
  .strictObject({ headers: z.record(z.string(), z.string()), body: z.string() })
  .meta({ id: "InboxRaw" });

/** Which webhooks; everything given must hold. */
export interface InboxFilter {
  readonly provider?: string | undefined;
  /** `src_…` */
  readonly sourceId?: string | undefined;
  readonly connectionId?: string | undefined;
  readonly status?: InboxStatus | undefined;
  /** Received at or after. */
  readonly since?: string | undefined;
  /** Received before. */
  readonly until?: string | undefined;
}
const inboxFilter = {
  provider: z.string().min(1).max(60).optional(),
  sourceId: z.string().max(60).optional(),
  connectionId: z.string().max(60).optional(),
  status: z.enum(STATUSES).optional(),
  since: z.iso.datetime().optional(),
  until: z.iso.datetime().optional(),
};

export const ListInboxQuery = z.strictObject({ ...pageQuery, ...inboxFilter });

export const REPLAY_IDS_MAX = 1_000;
export const REPLAY_RATE_MAX = 1_000;
export const REPLAY_RATE_DEFAULT = 50;

/** What to route once more: webhooks by id, or all that fit a filter with a beginning. */
export interface ReplayInbox extends InboxFilter {
  /** At most 1,000, instead of a filter. */
  readonly ids?: readonly string[] | undefined;
  /** Per second, 1 to 1,000; default 50. Webhooks that arrive meanwhile go first, whatever is said here. */
  readonly ratePerSecond?: number | undefined;
}
const replay = {
  ...inboxFilter,
  ids: z.array(z.string().max(60)).min(1).max(REPLAY_IDS_MAX).optional(),
  ratePerSecond: z.int().min(1).max(REPLAY_RATE_MAX).optional(),
};
const FILTERS = ["provider", "sourceId", "connectionId", "status", "since", "until"] as const;
export const ReplayInboxRequest: z.ZodType<ReplayInbox & { readonly dryRun?: boolean | undefined }> = z
  .strictObject({
    ...replay,
    /** Only counts. */
    dryRun: z.boolean().optional(),
  })
  .refine(({ ids, since }) => (ids === undefined) !== (since === undefined), {
    message: "give either ids, or a filter with since",
  })
  .refine((body) => body.ids === undefined || FILTERS.every((name) => body[name] === undefined), {
    message: "ids need no filter",
  })
  .refine(({ status }) => status !== "received", {
    path: ["status"],
    message: "what was received and not routed yet is routed by itself",
  })
  .meta({ id: "ReplayInboxRequest" });

/** What a replay would be of. */
export interface InboxReplayPreview {
  readonly matches: number;
  /** `false`: at least as many; what there is was too much to count. */
  readonly exact: boolean;
}
export const InboxReplayPreview: z.ZodType<InboxReplayPreview> = z
  .strictObject({ matches: z.int(), exact: z.boolean() })
  .meta({ id: "InboxReplayPreview" });

/** A replay and how far it got. */
export interface InboxReplay {
  /** `irp_…` */
  readonly id: string;
  readonly status: "running" | "completed" | "canceled";
  readonly filter: InboxFilter;
  /** How many were asked for by id; `null`: it goes by the filter. */
  readonly ids: number | null;
  readonly ratePerSecond: number;
  /** Counted when it began; `null`: too many to count. */
  readonly matches: number | null;
  /** Webhooks routed once more. What they lead to is in the connections' lanes then. */
  readonly replayed: number;
  /** Left alone, since their bytes can no longer be read or their address is gone. */
  readonly skipped: number;
  /** That could not be routed; they show in the inbox as before. */
  readonly failed: number;
  readonly createdAt: string;
  readonly finishedAt: string | null;
}
export const InboxReplay: z.ZodType<InboxReplay> = z
  .strictObject({
    id: z.string(),
    status: z.enum(["running", "completed", "canceled"]),
    filter: z.strictObject(inboxFilter),
    ids: z.int().nullable(),
    ratePerSecond: z.int(),
    matches: z.int().nullable(),
    replayed: z.int(),
    skipped: z.int(),
    failed: z.int(),
    createdAt: z.iso.datetime(),
    finishedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: "InboxReplay" });

export const ListInboxReplaysQuery = z.strictObject(pageQuery);
