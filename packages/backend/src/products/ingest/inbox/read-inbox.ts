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
  const { status } = wanted;
  const rows = await tx.execute<EntryRow>(
    status === undefined || status === "received" ? byDelivery(wanted) : byOutcome(wanted),
  );
  return [...rows];
}

/** Walks the deliveries. */
function byDelivery(wanted: Wanted) {
  const { workspaceId, before, status, connectionId, limit } = wanted;
  return sql`
    select i.id, i.provider, i.source_id, i.received_at, i.body_bytes, coalesce(o.status, 'received') as status, o.problem, o.topic, o.connection_id
    from inbox i left join lateral (
      select * from inbox_outcomes o where o.workspace_id = i.workspace_id and o.inbox_id = i.id and ${elementFits(wanted)}
      order by o.element limit 1
    ) o on true
    where i.workspace_id = ${workspaceId} and ${deliveryFits(wanted)}
      ${before === undefined ? sql`` : sql`and (i.received_at, i.id) < (${instantOfId(before).toISOString()}::timestamptz, ${before})`}
      ${status === "received" ? sql`and o.status is null` : sql``}
      ${connectionId === undefined ? sql`` : sql`and o.status is not null`}
    order by i.received_at desc, i.id desc limit ${limit}`;
}

/** Walks the outcomes of one status: there may be few among very many deliveries. Ids rise with the time of receipt. */
function byOutcome(wanted: Wanted) {
  const { workspaceId, before, since, until, limit } = wanted;
  return sql`
    select i.id, i.provider, i.source_id, i.received_at, i.body_bytes, o.status, o.problem, o.topic, o.connection_id
    from (
      select distinct on (o.inbox_id) o.* from inbox_outcomes o
      where o.workspace_id = ${workspaceId} and ${elementFits(wanted)}
        ${before === undefined ? sql`` : sql`and o.inbox_id < ${before}`}
        ${since === undefined ? sql`` : sql`and o.inbox_id >= ${firstIdAt(since)}`}
        ${until === undefined ? sql`` : sql`and o.inbox_id < ${firstIdAt(until)}`}
      order by o.inbox_id desc, o.element
    ) o join inbox i on i.workspace_id = o.workspace_id and i.received_at = o.received_at and i.id = o.inbox_id
    where i.workspace_id = ${workspaceId} and ${deliveryFits(wanted)}
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
