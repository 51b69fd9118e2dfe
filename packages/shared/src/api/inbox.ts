import { z } from "zod";
import { pageQuery } from "../pagination.ts";

/** One received provider webhook. */
export interface InboxEntry {
  /** `inb_…` */
  readonly id: string;
  readonly provider: string;
  readonly topic: string | null;
  /** `received`: not routed yet. `duplicate`: a copy of an earlier one. `unrouted`: no such account. */
  readonly status: "received" | "routed" | "duplicate" | "ignored" | "unrouted" | "quarantined";
  /** Stable code when quarantined. */
  readonly problem: string | null;
  readonly connectionId: string | null;
  readonly receivedAt: string;
  readonly bodyBytes: number;
}
export const InboxEntry: z.ZodType<InboxEntry> = z
  .strictObject({
    id: z.string(),
    provider: z.string(),
    topic: z.string().nullable(),
    status: z.enum(["received", "routed", "duplicate", "ignored", "unrouted", "quarantined"]),
    problem: z.string().nullable(),
    connectionId: z.string().nullable(),
    receivedAt: z.iso.datetime(),
    bodyBytes: z.int(),
  })
  .meta({ id: "InboxEntry" });

export const ListInboxQuery = z.strictObject({
  ...pageQuery,
  status: z.enum(["received", "routed", "duplicate", "ignored", "unrouted", "quarantined"]).optional(),
});
