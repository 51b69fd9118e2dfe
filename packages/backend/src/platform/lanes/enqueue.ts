import type { TenantUid, WorkspaceId } from "@patchbay/shared";
import { sql } from "drizzle-orm";
import { arrayParam, sideBySide, type Tx } from "../db/index.ts";

/** What a lane's id names: a connection (inbox hints and runs), an endpoint (deliveries), an erasure, an inbox replay. */
export type LaneKind = "connection" | "delivery" | "deliveryReplay" | "erasure" | "inboxReplay";

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
  /** Does not wait for its lane's rest to end. Default: it does. */
  readonly urgent?: boolean;
}

/** Items in one statement; callers split larger batches. */
const ITEMS_MAX = 1_000;

/**
 * Puts items into their lanes, in the caller's transaction. Worker role only; others {@link submit}.
 *
 * An item that waits already keeps its place, but runs no later than `runAt`. Locks the lanes until the transaction
 * ends, and lane handlers hold theirs first: call it before locking rows that handlers write.
 */
export async function enqueue(tx: Tx, items: readonly NewItem[]): Promise<void> {
  const inOrder = items.toSorted((a, b) => (laneName(a) < laneName(b) ? -1 : 1));
  for (let from = 0; from < inOrder.length; from += ITEMS_MAX) {
    await place(tx, inOrder.slice(from, from + ITEMS_MAX));
  }
}

/** Hands items in from any role; a worker moves them into lanes. */
export async function submit(tx: Tx, items: readonly NewItem[]): Promise<void> {
  for (let from = 0; from < items.length; from += ITEMS_MAX) {
    const columns = toColumns(items.slice(from, from + ITEMS_MAX));
    await tx.execute(
      sql`insert into queue.feed (id, kind, workspace_id, tenant_uid, lane_id, task, run_at, urgent)
          select * from ${columns} on conflict do nothing`,
    );
  }
}

/** Moves what other roles handed in into lanes. @returns how many items */
export async function drainFeed(tx: Tx): Promise<number> {
  const rows = await tx.execute<FeedRow>(sql`
    delete from queue.feed where id in (select id from queue.feed order by id limit ${ITEMS_MAX} for update skip locked)
    returning id, kind, workspace_id, tenant_uid, lane_id, task, run_at, urgent`);
  await enqueue(
    tx,
    rows.map((row) => ({
      id: row.id,
      kind: row.kind,
      workspaceId: row.workspace_id,
      tenantUid: row.tenant_uid,
      laneId: row.lane_id,
      task: row.task,
      runAt: new Date(row.run_at),
      urgent: row.urgent,
    })),
  );
  return rows.length;
}

interface FeedRow extends Record<string, unknown> {
  id: string;
  kind: LaneKind;
  workspace_id: WorkspaceId;
  tenant_uid: TenantUid;
  lane_id: string;
  task: string;
  run_at: string;
  urgent: boolean;
}

/**
 * Locks the lanes, then inserts their items and counts the new ones.
 *
 * Two statements, since whoever settles or releases a lane holds its row first as well: items before lanes would make
 * circles, and a release that saw the lane but not the items would put the lane to sleep with work in it.
 */
async function place(tx: Tx, items: readonly NewItem[]): Promise<void> {
  const source = toColumns(items);
  await sideBySide(
    tx.execute(sql`
      insert into queue.lanes as l (kind, workspace_id, tenant_uid, lane_id, pending, next_at)
      select kind, workspace_id, tenant_uid, lane_id, 0, min(run_at) from ${source}
      group by kind, workspace_id, tenant_uid, lane_id order by workspace_id, kind, lane_id, tenant_uid
      on conflict (workspace_id, kind, lane_id, tenant_uid) do update set pending = l.pending`),
    tx.execute(sql`
      with placed as (
        insert into queue.items as i (id, kind, workspace_id, tenant_uid, lane_id, task, run_at, urgent)
        select distinct on (id) id, kind, workspace_id, tenant_uid, lane_id, task, run_at, urgent from ${source} order by id, run_at
        on conflict (id) do update set run_at = least(i.run_at, excluded.run_at), urgent = i.urgent or excluded.urgent
        returning i.*, (xmax = 0) as is_new
      ), counted as (
        select kind, workspace_id, tenant_uid, lane_id, count(*) filter (where is_new) as added, min(run_at) as at,
          min(run_at) filter (where urgent) as urgent_at
        from placed group by kind, workspace_id, tenant_uid, lane_id
      )
      update queue.lanes l set
        next_at = least(c.urgent_at, greatest(l.rest_until, case when l.pending = 0 then c.at else least(l.next_at, c.at) end)),
        pending = l.pending + c.added
      from counted c
      where (l.workspace_id, l.kind, l.lane_id, l.tenant_uid) = (c.workspace_id, c.kind, c.lane_id, c.tenant_uid)`),
  );
}

/** Sorts like the lanes' key. */
function laneName(key: LaneKey): string {
  return `${key.workspaceId} ${key.kind} ${key.laneId} ${key.tenantUid}`;
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
    )},
    ${arrayParam(
      items.map((item) => String(item.urgent ?? false)),
      "boolean",
    )}
  ) as t (id, kind, workspace_id, tenant_uid, lane_id, task, run_at, urgent)`;
}
