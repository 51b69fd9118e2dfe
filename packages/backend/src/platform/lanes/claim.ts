import type { TenantUid, WorkspaceId } from "@patchbay/shared";
import { sql } from "drizzle-orm";
import { randomUUID } from "node:crypto";
import type { Tx } from "../db/index.ts";
import type { LaneKey, LaneKind } from "./enqueue.ts";
import { CANDIDATES_MAX, isLane } from "./lane-sql.ts";

/** A lane that lost its worker is free again after this long, unless told otherwise; the promise is 45 s. */
export const LEASE_MS = 30_000;

export interface LaneItem {
  readonly id: string;
  readonly task: string;
  /** Tries before this one. */
  readonly attempts: number;
  readonly runAt: Date;
}

/** A lane that this worker holds. */
export interface Lease {
  readonly key: LaneKey;
  readonly token: string;
  readonly items: readonly LaneItem[];
}

/**
 * Takes up to `lanesMax` ready lanes, those of tenants with the least virtual time first, with up to `itemsPerLane`
 * due items each, oldest due first.
 */
export async function claimLanes(
  tx: Tx,
  input: { kind: LaneKind; lanesMax: number; itemsPerLane: number; leaseMs?: number | undefined; now: Date },
): Promise<readonly Lease[]> {
  const token = randomUUID();
  const now = sql`${input.now.toISOString()}::timestamptz`;
  const held = await tx.execute<HeldRow>(sql`
    with ready as (
      select workspace_id, kind, lane_id, tenant_uid, next_at from queue.lanes
      where kind = ${input.kind} and pending > 0 and next_at <= ${now} and (lease_until is null or lease_until <= ${now})
        and not exists (
          select 1 from queue.limits m
          where m.workspace_id = lanes.workspace_id and m.lane_id = lanes.lane_id and greatest(m.free_at, m.full_until) > ${now}
        )
      order by next_at limit ${CANDIDATES_MAX}
    ), fair as (
      select r.* from ready r left join queue.tenants t using (workspace_id, tenant_uid, kind)
      order by coalesce(t.virtual_time, 0), r.next_at limit ${input.lanesMax}
    )
    update queue.lanes l set rest_until = null, holds_slot = false, lease_until = ${now} + ${`${input.leaseMs ?? LEASE_MS} milliseconds`}::interval, lease_token = ${token}
    from (
      select l.workspace_id, l.kind, l.lane_id, l.tenant_uid from queue.lanes l join fair using (workspace_id, kind, lane_id, tenant_uid)
      where l.pending > 0 and l.next_at <= ${now} and (l.lease_until is null or l.lease_until <= ${now})
      for update of l skip locked
    ) mine
    where (l.workspace_id, l.kind, l.lane_id, l.tenant_uid) = (mine.workspace_id, mine.kind, mine.lane_id, mine.tenant_uid)
    returning l.workspace_id, l.lane_id, l.tenant_uid`);
  const lanes = new Map<string, { key: LaneKey; token: string; items: LaneItem[] }>();
  for (const row of held) {
    const key: LaneKey = {
      kind: input.kind,
      workspaceId: row.workspace_id,
      tenantUid: row.tenant_uid,
      laneId: row.lane_id,
    };
    lanes.set(nameOf(row), { key, token, items: [] });
  }
  if (lanes.size === 0) return [];
  for (const row of await dueItems(tx, token, input)) {
    lanes.get(nameOf(row))?.items.push({
      id: row.id,
      task: row.task,
      attempts: row.attempts,
      runAt: new Date(row.run_at),
    });
  }
  return [...lanes.values()];
}

/** Read once the lanes are ours: an earlier look may still show items that the worker before has ended. */
function dueItems(tx: Tx, token: string, input: { kind: LaneKind; itemsPerLane: number; now: Date }) {
  return tx.execute<ItemRow>(sql`
    select l.workspace_id, l.lane_id, l.tenant_uid, i.id, i.task, i.attempts, i.run_at
    from queue.lanes l cross join lateral (
      select * from queue.items i
      where i.workspace_id = l.workspace_id and i.kind = l.kind and i.lane_id = l.lane_id and i.tenant_uid = l.tenant_uid
        and i.run_at <= ${input.now.toISOString()}::timestamptz
      order by i.run_at, i.id limit ${input.itemsPerLane}
    ) i
    where l.kind = ${input.kind} and l.lease_until is not null and l.lease_token = ${token}
    order by i.run_at, i.id`);
}

/** Keeps the lease for another `leaseMs`. @returns whether it was still ours */
export async function extendLease(tx: Tx, lease: Lease, leaseMs: number, now: Date): Promise<boolean> {
  const rows = await tx.execute(sql`
    update queue.lanes set lease_until = ${now.toISOString()}::timestamptz + ${`${leaseMs} milliseconds`}::interval
    where ${isLane(lease.key)} and lease_token = ${lease.token} returning 1`);
  return rows.length > 0;
}

interface HeldRow extends Record<string, unknown> {
  workspace_id: WorkspaceId;
  lane_id: string;
  tenant_uid: TenantUid;
}
interface ItemRow extends HeldRow {
  id: string;
  task: string;
  attempts: number;
  run_at: string;
}

function nameOf(row: HeldRow): string {
  return `${row.workspace_id} ${row.lane_id} ${row.tenant_uid}`;
}
