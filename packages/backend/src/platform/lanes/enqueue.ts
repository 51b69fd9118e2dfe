import type { TenantUid, WorkspaceId } from "@patchbay/shared";
import { sql } from "drizzle-orm";
import { arrayParam, type Tx } from "../db/index.ts";

/** What a lane's id names: a connection (inbox hints and runs) or an endpoint (deliveries). */
export type LaneKind = "connection" | "delivery";

/** An ordered queue of one tenant's work. Workspace-level work rides in the lane of the nil tenant. */
export interface LaneKey {
  readonly kind: LaneKind;
  readonly workspaceId: WorkspaceId;
  readonly tenantUid: TenantUid;
  readonly laneId: string;
}

export interface NewItem extends LaneKey {
  /** Names the row to work on; the same id twice is one item. */
  readonly id: string;
  readonly task: string;
  readonly runAt: Date;
}

/** Items in one statement; callers split larger batches. */
const ITEMS_MAX = 1_000;

/**
 * Puts items into their lanes, in the caller's transaction. Worker role only; others {@link submit}.
 *
 * An item that waits already keeps its place, but runs no later than `runAt`.
 */
export async function enqueue(tx: Tx, items: readonly NewItem[]): Promise<void> {
  for (let from = 0; from < items.length; from += ITEMS_MAX) {
    await insertItems(tx, items.slice(from, from + ITEMS_MAX));
  }
}

/** Hands items in from any role; a worker moves them into lanes. */
export async function submit(tx: Tx, items: readonly NewItem[]): Promise<void> {
  for (let from = 0; from < items.length; from += ITEMS_MAX) {
    const columns = toColumns(items.slice(from, from + ITEMS_MAX));
    await tx.execute(
      sql`insert into queue.feed (id, kind, workspace_id, tenant_uid, lane_id, task, run_at)
          select * from ${columns} on conflict do nothing`,
    );
  }
}

/** Moves what other roles handed in into lanes. @returns how many items */
export async function drainFeed(tx: Tx): Promise<number> {
  const rows = await tx.execute(sql`
    with fed as (
      delete from queue.feed where id in (select id from queue.feed order by id limit ${ITEMS_MAX} for update skip locked)
      returning id, kind, workspace_id, tenant_uid, lane_id, task, run_at
    ), ${placed(sql`fed`)}`);
  return rows.length;
}

async function insertItems(tx: Tx, items: readonly NewItem[]): Promise<void> {
  await tx.execute(sql`
    with fed as (select * from ${toColumns(items)}), ${placed(sql`fed`)}`);
}

/**
 * Inserts the items of `source`, in lane order so that two writers never wait on each other in a circle, and counts
 * the new ones into their lanes.
 */
function placed(source: ReturnType<typeof sql>) {
  return sql`
    items as (
      insert into queue.items as i (id, kind, workspace_id, tenant_uid, lane_id, task, run_at)
      select id, kind, workspace_id, tenant_uid, lane_id, task, run_at from ${source} order by id
      on conflict (id) do update set run_at = least(i.run_at, excluded.run_at)
      returning i.*, (xmax = 0) as is_new
    )
    insert into queue.lanes as l (kind, workspace_id, tenant_uid, lane_id, pending, next_at)
    select kind, workspace_id, tenant_uid, lane_id, count(*) filter (where is_new), min(run_at) from items
    group by kind, workspace_id, tenant_uid, lane_id order by workspace_id, kind, lane_id, tenant_uid
    on conflict (workspace_id, kind, lane_id, tenant_uid) do update set
      next_at = case when l.pending = 0 then excluded.next_at else least(l.next_at, excluded.next_at) end,
      pending = l.pending + excluded.pending
    returning 1`;
}

function toColumns(items: readonly NewItem[]) {
  return sql`unnest(
    ${arrayParam(
      items.map((item) => item.id),
      "uuid",
    )},
    ${arrayParam(
      items.map((item) => item.kind),
      "text",
    )},
    ${arrayParam(
      items.map((item) => item.workspaceId),
      "uuid",
    )},
    ${arrayParam(
      items.map((item) => item.tenantUid),
      "uuid",
    )},
    ${arrayParam(
      items.map((item) => item.laneId),
      "uuid",
    )},
    ${arrayParam(
      items.map((item) => item.task),
      "text",
    )},
    ${arrayParam(
      items.map((item) => item.runAt.toISOString()),
      "timestamptz",
    )}
  ) as t (id, kind, workspace_id, tenant_uid, lane_id, task, run_at)`;
}
