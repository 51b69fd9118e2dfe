import type { EventType, PatchbayEvent, TenantUid, WorkspaceId } from "@patchbay/shared";
import { and, asc, eq, gt, lte } from "drizzle-orm";
import { eventHeads, events } from "../../../domain/events/index.ts";
import { tenantRef } from "../../../domain/workspaces/index.ts";
import type { Tx } from "../../../platform/db/index.ts";
import { decodeFeedCursor, encodeFeedCursor, invalidCursor, type FeedPlace } from "../cursor.ts";
import type { DeliveryDeps } from "../deps.ts";
import { openEvents } from "./open-events.ts";

export interface ListEventsInput {
  readonly workspaceId: WorkspaceId;
  /** A cursor of an earlier page. */
  readonly after?: string | undefined;
  /** Where to begin without `after`: at the oldest event, or behind the newest. */
  readonly from: "start" | "latest";
  readonly limit: number;
  readonly type?: string | undefined;
  /** The host's id. */
  readonly tenantId?: string | undefined;
}

export interface EventsPage {
  readonly data: readonly PatchbayEvent[];
  readonly hasMore: boolean;
  /** Never `null`: polling goes on from here. */
  readonly nextCursor: string;
}

/** Positions that one page looks at: a filter that few events pass gives short pages, not slow ones. */
const POSITIONS_MAX = 5_000;

/**
 * A page of the feed, by position: what has a position stays where it is, and nothing appears before it later.
 *
 * @throws AppError `invalid_cursor`, `tenant_not_found`
 */
export async function listEvents(
  deps: Pick<DeliveryDeps, "app" | "vault">,
  input: ListEventsInput,
): Promise<EventsPage> {
  const { placed, hasMore, end } = await readFeed(deps, input);
  return { data: placed.map(({ event }) => event), hasMore, nextCursor: encodeFeedCursor(input.workspaceId, end) };
}

/** Events with their places, and the place behind the last one that was looked at. @throws as {@link listEvents} */
export async function readFeed(
  deps: Pick<DeliveryDeps, "app" | "vault">,
  input: ListEventsInput,
): Promise<{
  readonly placed: readonly { readonly place: FeedPlace; readonly event: PatchbayEvent }[];
  readonly hasMore: boolean;
  readonly end: FeedPlace;
}> {
  const { workspaceId, limit } = input;
  const { head, until, rows } = await deps.app.withWorkspace(workspaceId, async (tx) => {
    const head = await readHead(tx, workspaceId);
    const start = startOf(input, head);
    const until = Math.min(start + POSITIONS_MAX, head.position);
    const tenant = input.tenantId === undefined ? null : await tenantRef(tx, { workspaceId, id: input.tenantId });
    const rows = await readRange(tx, input, { after: start, until, tenantUid: tenant?.uid ?? null });
    return { head, until, rows };
  });
  // A full page ends at its last event; else everything up to `until` was looked at.
  const last = rows.length < limit ? undefined : rows.at(-1);
  const position = last?.position ?? until;
  const opened = await openEvents(deps.vault, workspaceId, rows);
  return {
    placed: opened.map(({ row, event }) => ({
      place: { epoch: head.epoch, position: row.position ?? position },
      event,
    })),
    hasMore: position < head.position,
    end: { epoch: head.epoch, position },
  };
}

/** The newest place of a workspace's feed. */
export async function readHead(tx: Tx, workspaceId: WorkspaceId): Promise<FeedPlace> {
  const [head] = await tx
    .select({ epoch: eventHeads.epoch, position: eventHeads.position })
    .from(eventHeads)
    .where(eq(eventHeads.workspaceId, workspaceId));
  return head ?? { epoch: 1, position: 0 };
}

function startOf(input: ListEventsInput, head: FeedPlace): number {
  if (input.after === undefined) return input.from === "latest" ? head.position : 0;
  const place = decodeFeedCursor(input.workspaceId, input.after);
  if (place.epoch !== head.epoch || place.position > head.position) {
    throw invalidCursor(
      "the database was restored since this cursor was given; read again with from=start, and drop event ids that you have seen",
    );
  }
  return place.position;
}

function readRange(
  tx: Tx,
  input: ListEventsInput,
  range: { readonly after: number; readonly until: number; readonly tenantUid: TenantUid | null },
) {
  return tx
    .select({ id: events.id, position: events.position, body: events.body, bodyKeyId: events.bodyKeyId })
    .from(events)
    .where(
      and(
        eq(events.workspaceId, input.workspaceId),
        gt(events.position, range.after),
        lte(events.position, range.until),
        // An unknown type matches nothing.
        input.type === undefined ? undefined : eq(events.type, input.type as EventType),
        range.tenantUid === null ? undefined : eq(events.tenantUid, range.tenantUid),
      ),
    )
    .orderBy(asc(events.position))
    .limit(input.limit);
}
