import {
  AppError,
  decodeId,
  encodeId,
  type ConnectionId,
  type InboxElement,
  type InboxEntry,
  type InboxId,
  type InboxItem,
  type InboxRaw,
  type Page,
  type SourceId,
  type WorkspaceId,
} from "@patchbay/shared";
import { and, asc, eq, sql } from "drizzle-orm";
import { KeyDestroyedError } from "../../../domain/vault/index.ts";
import type { Tx } from "../../../platform/db/index.ts";
import { instantOfId } from "../../../platform/runtime/index.ts";
import type { IngestDeps } from "../deps.ts";
import { inbox, inboxOutcomes } from "../tables.ts";
import { inboxPlace } from "./accept.ts";
import { firstIdAt, isInboxId } from "./inbox-id.ts";
import { deliveryFits, elementFits, type InboxSelection } from "./inbox-selection.ts";

/** What arrived, newest first. A batch shows as its first element that fits the filter. @throws AppError `invalid_cursor` */
export async function listInbox(
  deps: Pick<IngestDeps, "app">,
  input: InboxSelection & {
    readonly workspaceId: WorkspaceId;
    readonly limit: number;
    readonly cursor?: string | undefined;
  },
): Promise<Page<InboxEntry>> {
  const { workspaceId, limit } = input;
  const before = input.cursor === undefined ? undefined : decodeId("inb", input.cursor);
  if (before === null || (before !== undefined && !isInboxId(before)))
    throw new AppError("invalid_cursor", "the cursor is not one of this list");
  const rows = await deps.app.withWorkspace(workspaceId, (tx) =>
    selectEntries(tx, { ...input, before, limit: limit + 1 }),
  );
  const page = rows.slice(0, limit).map(toEntry);
  const hasMore = rows.length > limit;
  return { data: page, hasMore, nextCursor: hasMore ? (page.at(-1)?.id ?? null) : null };
}

interface InboxRef {
  readonly workspaceId: WorkspaceId;
  readonly inboxId: InboxId;
}

/** More than any provider sends at once. */
const ELEMENTS_SHOWN_MAX = 1_000;

/** One delivery and what became of it. @throws AppError `inbox_item_not_found` */
export async function getInboxItem(deps: Pick<IngestDeps, "app">, ref: InboxRef): Promise<InboxItem> {
  const { workspaceId, inboxId } = ref;
  const found = await deps.app.withWorkspace(workspaceId, async (tx) => {
    const row = await selectDelivery(tx, ref);
    const [entry] = await selectEntries(tx, { workspaceId, ids: [inboxId], limit: 1 });
    const elements = await tx
      .select()
      .from(inboxOutcomes)
      .where(and(eq(inboxOutcomes.workspaceId, workspaceId), eq(inboxOutcomes.inboxId, inboxId)))
      .orderBy(asc(inboxOutcomes.element))
      .limit(ELEMENTS_SHOWN_MAX);
    return { row, entry, elements };
  });
  if (found.entry === undefined) throw notFound();
  return {
    ...toEntry(found.entry),
    bodySha256: Buffer.from(found.row.bodySha256).toString("hex"),
    elements: found.elements.map(toElement),
  };
}

/**
 * One delivery as it was sent.
 *
 * @throws AppError `inbox_item_not_found`, also when the retention or an erasure made the bytes unreadable
 */
export async function getInboxRaw(deps: Pick<IngestDeps, "app" | "vault">, ref: InboxRef): Promise<InboxRaw> {
  const { workspaceId } = ref;
  const row = await deps.app.withWorkspace(workspaceId, (tx) => selectDelivery(tx, ref));
  try {
    const body = await deps.vault.open(workspaceId, inboxPlace(row.id), row.body);
    return { headers: row.headers, body: Buffer.from(body).toString("base64") };
  } catch (error) {
    if (error instanceof KeyDestroyedError) throw notFound();
    throw error;
  }
}

async function selectDelivery(tx: Tx, { workspaceId, inboxId }: InboxRef): Promise<typeof inbox.$inferSelect> {
  const [row] = isInboxId(inboxId)
    ? await tx
        .select()
        .from(inbox)
        .where(
          and(eq(inbox.workspaceId, workspaceId), eq(inbox.receivedAt, instantOfId(inboxId)), eq(inbox.id, inboxId)),
        )
    : [];
  if (row === undefined) throw notFound();
  return row;
}

interface EntryRow extends Record<string, unknown> {
  id: InboxId;
  provider: string;
  source_id: SourceId;
  received_at: string;
  body_bytes: number;
  status: InboxEntry["status"];
  problem: string | null;
  topic: string | null;
  connection_id: ConnectionId | null;
}

type Wanted = InboxSelection & {
  readonly workspaceId: WorkspaceId;
  readonly before?: InboxId | undefined;
  readonly limit: number;
};

async function selectEntries(tx: Tx, wanted: Wanted): Promise<readonly EntryRow[]> {
  const { status, connectionId } = wanted;
  const byOutcomes = connectionId !== undefined || (status !== undefined && status !== "received");
  // What waits for the router has no connection yet.
  if (status === "received" && connectionId !== undefined) return [];
  const rows = await tx.execute<EntryRow>(byOutcomes ? byOutcome(wanted) : byDelivery(wanted));
  return [...rows];
}

/** Walks the deliveries. */
function byDelivery(wanted: Wanted) {
  const { workspaceId, before, status, limit } = wanted;
  return sql`
    select i.*, coalesce(o.status, 'received') as status, o.problem, o.topic, o.connection_id
    from (
      select i.workspace_id, i.id, i.provider, i.source_id, i.received_at, i.body_bytes from inbox i
      where i.workspace_id = ${workspaceId} and ${deliveryFits(wanted)}
        ${before === undefined ? sql`` : sql`and (i.received_at, i.id) < (${instantOfId(before).toISOString()}::timestamptz, ${before})`}
        ${status === "received" ? sql`and not exists (select from inbox_outcomes o where o.workspace_id = i.workspace_id and o.inbox_id = i.id)` : sql``}
      order by i.received_at desc, i.id desc limit ${limit}
    ) i left join lateral (
      select * from inbox_outcomes o where o.workspace_id = i.workspace_id and o.inbox_id = i.id order by o.element limit 1
    ) o on true
    order by i.received_at desc, i.id desc`;
}

/**
 * Walks the outcomes of one status or connection, along an index and no further than it must: there may be few among
 * very many deliveries, or very many. Ids rise with the time of receipt. `LIMIT 1` keeps the planner from joining all.
 */
function byOutcome(wanted: Wanted) {
  const { workspaceId, before, connectionId, sourceId, since, until, limit } = wanted;
  // The index begins with the tenant, since erasures go by that.
  const ofTenant = sql`and o.tenant_uid = (select c.tenant_uid from connections c where c.workspace_id = ${workspaceId} and c.id = ${connectionId ?? null})`;
  return sql`
    select i.*, o.status, o.problem, o.topic, o.connection_id
    from inbox_outcomes o
    cross join lateral (
      select first.element from inbox_outcomes first
      where first.workspace_id = o.workspace_id and first.inbox_id = o.inbox_id and ${elementFits(wanted, sql`first`)}
      order by first.element limit 1
    ) first
    cross join lateral (
      select i.id, i.provider, i.source_id, i.received_at, i.body_bytes from inbox i
      where i.workspace_id = ${workspaceId} and i.received_at = o.received_at and i.id = o.inbox_id and ${deliveryFits(wanted)} ${sourceId === undefined ? sql`limit 1` : sql``}
    ) i
    where o.workspace_id = ${workspaceId} and o.element = first.element and ${elementFits(wanted)}
      ${connectionId === undefined ? sql`` : ofTenant}
      ${before === undefined ? sql`` : sql`and o.inbox_id < ${before}`}
      ${since === undefined ? sql`` : sql`and o.inbox_id >= ${firstIdAt(since)}`}
      ${until === undefined ? sql`` : sql`and o.inbox_id < ${firstIdAt(until)}`}
    order by o.inbox_id desc limit ${limit}`;
}

function toEntry(row: EntryRow): InboxEntry {
  return {
    id: encodeId("inb", row.id),
    provider: row.provider,
    sourceId: encodeId("src", row.source_id),
    topic: row.topic,
    status: row.status,
    problem: row.problem,
    connectionId: row.connection_id === null ? null : encodeId("conn", row.connection_id),
    receivedAt: new Date(row.received_at).toISOString(),
    bodyBytes: row.body_bytes,
  };
}

function toElement(row: typeof inboxOutcomes.$inferSelect): InboxElement {
  return {
    element: row.element,
    status: row.status,
    problem: row.problem,
    topic: row.topic,
    connectionId: row.connectionId === null ? null : encodeId("conn", row.connectionId),
    routedAt: row.routedAt.toISOString(),
  };
}

function notFound(): AppError {
  return new AppError("inbox_item_not_found", "no such delivery, or its retention is over");
}
