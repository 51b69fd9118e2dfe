import { sql } from "drizzle-orm";
import { arrayParam, type Tx } from "../db/index.ts";
import type { Lease } from "./claim.ts";
import { tableOf } from "./lane-sql.ts";
import { fence } from "./settle.ts";

/** How lanes with one id may be worked, over all their tenants, kinds and processes. */
export interface LaneLimits {
  /** Items begun; `null`: without bound. */
  readonly perSecond: number | null;
  /** Lanes at work at the same time; `null`: without bound. */
  readonly atOnce: number | null;
}

/** Turns handed out at once cover this long: few writes where many are allowed, and soon again for other lanes. */
const BLOCK_SECONDS = 0.25;
/** A lane that holds a slot and dies is found out by its lease; until then others look again this often. */
const FULL_MS = 5_000;

/**
 * Takes turns for a claimed lane, evenly spaced, none of them given to another.
 *
 * @returns when each may begin, at most `wanted`; none: give the lane back, it is claimed again when there may be turns
 * @throws LeaseLost
 */
export async function takeTurns(
  tx: Tx,
  lease: Lease,
  limits: LaneLimits,
  wanted: number,
  now: Date,
): Promise<readonly Date[]> {
  const { workspaceId, laneId } = lease.key;
  const these = sql`workspace_id = ${workspaceId} and lane_id = ${laneId}`;
  await tx.execute(
    sql`insert into queue.limits (workspace_id, lane_id) values (${workspaceId}, ${laneId}) on conflict do nothing`,
  );
  const [row] = await tx.execute<{ free_at: string | null }>(
    sql`select free_at from queue.limits where ${these} for update`,
  );
  await fence(tx, lease);
  if (limits.atOnce !== null && !(await takeSlot(tx, lease, limits.atOnce, now))) {
    await tx.execute(sql`update queue.limits set full_until = ${at(now, FULL_MS)} where ${these}`);
    return [];
  }
  if (limits.perSecond === null) return Array.from({ length: wanted }, () => now);

  const freeAt = row?.free_at ?? null;
  if (freeAt !== null && new Date(freeAt) > now) return [];
  const everyMs = 1_000 / limits.perSecond;
  const turns = Math.max(1, Math.min(wanted, Math.floor(limits.perSecond * BLOCK_SECONDS)));
  await tx.execute(sql`update queue.limits set free_at = ${at(now, turns * everyMs)} where ${these}`);
  return Array.from({ length: turns }, (_, index) => new Date(now.getTime() + index * everyMs));
}

/** Lets other lanes with their ids have the slots that lanes hold. Before they are given back, behind their fence. */
export async function freeSlots(tx: Tx, leases: readonly Lease[]): Promise<void> {
  if (leases.length === 0) return;
  // Whoever finds all slots taken at this moment has the row, and says so in it: what it wrote is seen only after it.
  const rows = await tx.execute<{ workspace_id: string; lane_id: string }>(sql`
    select m.workspace_id, m.lane_id from queue.limits m where (m.workspace_id, m.lane_id) in (
      select l.workspace_id, l.lane_id from queue.lanes l
      join ${tableOf(leases)} as mine (workspace_id, kind, lane_id, tenant_uid, token) using (workspace_id, kind, lane_id, tenant_uid)
      where l.holds_slot
    ) order by m.workspace_id, m.lane_id for update`);
  if (rows.length === 0) return;
  const workspaceIds = [...rows].map((row) => row.workspace_id);
  const laneIds = [...rows].map((row) => row.lane_id);
  await tx.execute(sql`
    update queue.limits m set full_until = null
    from unnest(${arrayParam(workspaceIds, "uuid")}, ${arrayParam(laneIds, "uuid")}) as freed (workspace_id, lane_id)
    where (m.workspace_id, m.lane_id) = (freed.workspace_id, freed.lane_id) and m.full_until is not null`);
}

async function takeSlot(tx: Tx, { key }: Lease, atOnce: number, now: Date): Promise<boolean> {
  const { workspaceId, laneId, kind, tenantUid } = key;
  const others = await tx.execute(sql`
    select 1 from queue.lanes
    where workspace_id = ${workspaceId} and lane_id = ${laneId} and (kind, tenant_uid) <> (${kind}, ${tenantUid}::uuid)
      and holds_slot and lease_until > ${at(now, 0)}
    limit ${atOnce}`);
  if (others.length >= atOnce) return false;
  await tx.execute(sql`
    update queue.lanes set holds_slot = true
    where workspace_id = ${workspaceId} and kind = ${kind} and lane_id = ${laneId} and tenant_uid = ${tenantUid}`);
  return true;
}

function at(now: Date, afterMs: number) {
  return sql`${new Date(now.getTime() + afterMs).toISOString()}::timestamptz`;
}
