import { z } from "zod";
import { PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX } from "../pagination.ts";
import type { EventDataOf } from "./data.ts";
import type { EventType } from "./types.ts";

/** The event of one type: `EventOf<"order.created">["data"]["object"]` is an `Order`, or `null` where it is thin. */
export interface EventOf<T extends EventType> {
  /** `evt_…`; equals the `webhook-id` header. */
  readonly id: string;
  readonly type: T;
  /** When it happened; our clock, RFC 3339 UTC. */
  readonly timestamp: string;
  readonly mode: "live" | "test";
  /** `null` for what concerns the workspace as a whole. */
  readonly tenantId: string | null;
  readonly connection: { readonly id: string; readonly provider: string; readonly providerAccountId: string } | null;
  readonly data: EventDataOf<T>;
}

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
