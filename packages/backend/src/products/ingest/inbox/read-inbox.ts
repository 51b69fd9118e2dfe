import {
  AppError,
  decodeId,
  encodeId,
  type InboxEntry,
  type InboxId,
  type Page,
  type WorkspaceId,
} from "@patchbay/shared";
import { and, eq, sql } from "drizzle-orm";
import { KeyDestroyedError } from "../../../domain/vault/index.ts";
import { instantOfId } from "../../../platform/runtime/index.ts";
import type { IngestDeps } from "../deps.ts";
import { inbox } from "../tables.ts";
import { inboxPlace } from "./accept.ts";
import { isInboxId } from "./inbox-id.ts";

/** What arrived, newest first. A batch shows as its first element that fits the filter. @throws AppError `invalid_cursor` */
export async function listInbox(
  deps: Pick<IngestDeps, "app">,
  input: {
    readonly workspaceId: WorkspaceId;
    readonly limit: number;
    readonly cursor?: string | undefined;
    readonly status?: InboxEntry["status"] | undefined;
  },
): Promise<Page<InboxEntry>> {
  const before = input.cursor === undefined ? undefined : decodeId("inb", input.cursor);
  if (before === null || (before !== undefined && !isInboxId(before)))
    throw new AppError("invalid_cursor", "the cursor is not one of this list");
  const rows = await selectEntries(deps, { ...input, before, limit: input.limit + 1 });
  const page = rows.slice(0, input.limit);
  const hasMore = rows.length > input.limit;
  return { data: page, hasMore, nextCursor: hasMore ? (page.at(-1)?.id ?? null) : null };
}

/**
 * One delivery with its raw bytes, as they arrived.
 *
 * @throws AppError `inbox_item_not_found`, also when the retention or an erasure made the bytes unreadable
 */
export async function getInboxItem(
  deps: Pick<IngestDeps, "app" | "vault">,
  input: { readonly workspaceId: WorkspaceId; readonly inboxId: InboxId },
): Promise<{
  readonly entry: InboxEntry;
  readonly headers: Readonly<Record<string, string>>;
  readonly rawBody: Uint8Array;
}> {
  const { workspaceId, inboxId } = input;
  if (!isInboxId(inboxId)) throw notFound();
  const [entry] = await selectEntries(deps, { workspaceId, only: inboxId, limit: 1 });
  const [row] = await deps.app.withWorkspace(workspaceId, (tx) =>
    tx
      .select()
      .from(inbox)
      .where(
        and(eq(inbox.workspaceId, workspaceId), eq(inbox.receivedAt, instantOfId(inboxId)), eq(inbox.id, inboxId)),
      ),
  );
  if (entry === undefined || row === undefined) throw notFound();
  try {
    return { entry, headers: row.headers, rawBody: await deps.vault.open(workspaceId, inboxPlace(row.id), row.body) };
  } catch (error) {
    if (error instanceof KeyDestroyedError) throw notFound();
    throw error;
  }
}

interface EntryRow extends Record<string, unknown> {
  id: InboxId;
  provider: string;
  received_at: string;
  body_bytes: number;
  status: InboxEntry["status"];
  problem: string | null;
  topic: string | null;
  connection_id: string | null;
}

async function selectEntries(
  deps: Pick<IngestDeps, "app">,
  input: {
    readonly workspaceId: WorkspaceId;
    readonly limit: number;
    readonly before?: InboxId | undefined;
    readonly only?: InboxId | undefined;
    readonly status?: InboxEntry["status"] | undefined;
  },
): Promise<readonly InboxEntry[]> {
  const { workspaceId, before, only, status } = input;
  const at = (id: InboxId) => sql`${instantOfId(id).toISOString()}::timestamptz`;
  const rows = await deps.app.withWorkspace(workspaceId, (tx) =>
    tx.execute<EntryRow>(sql`
      select i.id, i.provider, i.received_at, i.body_bytes, coalesce(o.status, 'received') as status, o.problem, o.topic, o.connection_id
      from inbox i left join lateral (
        select * from inbox_outcomes o where o.workspace_id = i.workspace_id and o.inbox_id = i.id
          ${status === undefined || status === "received" ? sql`` : sql`and o.status = ${status}`}
        order by o.element limit 1
      ) o on true
      where i.workspace_id = ${workspaceId}
        ${before === undefined ? sql`` : sql`and (i.received_at, i.id) < (${at(before)}, ${before})`}
        ${only === undefined ? sql`` : sql`and i.received_at = ${at(only)} and i.id = ${only}`}
        ${status === undefined ? sql`` : sql`and coalesce(o.status, 'received') = ${status}`}
        ${status === undefined || status === "received" ? sql`` : sql`and o.status is not null`}
      order by i.received_at desc, i.id desc limit ${input.limit}`),
  );
  return [...rows].map((row) => ({
    id: encodeId("inb", row.id),
    provider: row.provider,
    topic: row.topic,
    status: row.status,
    problem: row.problem,
    // A connection's id, as the table says.
    connectionId:
      row.connection_id === null ? null : encodeId("conn", row.connection_id as Parameters<typeof encodeId<"conn">>[1]),
    receivedAt: new Date(row.received_at).toISOString(),
    bodyBytes: row.body_bytes,
  }));
}

function notFound(): AppError {
  return new AppError("inbox_item_not_found", "no such delivery, or its retention is over");
}
