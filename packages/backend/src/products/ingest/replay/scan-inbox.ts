import type { InboxId, WorkspaceId } from "@patchbay/shared";
import { sql, type SQL } from "drizzle-orm";
import type { Tx } from "../../../platform/db/index.ts";
import { instantOfId } from "../../../platform/runtime/index.ts";
import { deliveryFits, elementFits, type InboxSelection } from "../inbox/inbox-selection.ts";
import type { SizedArrivalRef } from "../router/read-arrivals.ts";

/** Deliveries looked at by one statement, so that a filter that fits few never takes long. */
const WINDOW = 20_000;

/** What one look at the inbox found, oldest first. */
export interface Scan {
  readonly refs: readonly SizedArrivalRef[];
  /** Where to look on from; `null`: that was all. */
  readonly next: InboxId | null;
}

type Wanted = InboxSelection & { readonly workspaceId: WorkspaceId; readonly after: InboxId | null };

/** The next deliveries that fit, at most `limit`; maybe none though there are more behind. */
export async function scanInbox(tx: Tx, wanted: Wanted, limit: number): Promise<Scan> {
  const rows = await tx.execute<{ id: InboxId; bytes: number; fits: boolean }>(sql`
    select s.id, s.body_bytes as bytes, ${hasElement(wanted)} as fits from (${windowOf(wanted, WINDOW)}) s order by s.received_at, s.id`);
  const seen = [...rows];
  const fitting = seen.filter((row) => row.fits).slice(0, limit);
  const full = fitting.length === limit;
  const last = full ? fitting.at(-1) : seen.at(-1);
  return {
    refs: fitting.map(({ id, bytes }) => ({ id, bytes, receivedAt: instantOfId(id) })),
    next: full || seen.length === WINDOW ? (last?.id ?? null) : null,
  };
}

/** How many of the next deliveries fit. */
export async function countInWindow(
  tx: Tx,
  wanted: Wanted,
): Promise<{ readonly matches: number; readonly next: InboxId | null }> {
  const [row] = await tx.execute<{ matches: number; seen: number; last: InboxId | null }>(sql`
    select count(*)::int as seen, count(*) filter (where ${hasElement(wanted)})::int as matches,
      (array_agg(s.id order by s.received_at desc, s.id desc))[1] as last
    from (${windowOf(wanted, WINDOW)}) s`);
  return { matches: row?.matches ?? 0, next: row?.seen === WINDOW ? row.last : null };
}

function windowOf(wanted: Wanted, rows: number): SQL {
  const { workspaceId, after } = wanted;
  const behind = after && sql`and (i.received_at, i.id) > (${instantOfId(after).toISOString()}::timestamptz, ${after})`;
  return sql`
    select i.workspace_id, i.received_at, i.id, i.body_bytes from inbox i
    where i.workspace_id = ${workspaceId} and ${deliveryFits(wanted)} ${behind ?? sql``}
    order by i.received_at, i.id limit ${rows}`;
}

/** What the router has not seen yet it will see by itself; what is all copies is only replayed where asked for. */
function hasElement(wanted: Wanted): SQL {
  const copies = wanted.ids !== undefined || wanted.status !== undefined;
  return sql`exists (
    select 1 from inbox_outcomes o where o.workspace_id = s.workspace_id and o.inbox_id = s.id and ${elementFits(wanted)}
      ${copies ? sql`` : sql`and o.status <> 'duplicate'`})`;
}
