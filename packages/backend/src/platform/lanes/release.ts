import { sql, type SQL } from "drizzle-orm";
import { arrayParam, sideBySide, type Tx } from "../db/index.ts";
import type { LaneItem, Lease } from "./claim.ts";
import type { LaneKind } from "./enqueue.ts";
import { CANDIDATES_MAX, tableOf } from "./lane-sql.ts";
import { freeSlots } from "./limits.ts";
import { holdLanes, stillOurs } from "./settle.ts";

/** A lane that its handler is through with. */
export interface WorkedLane {
  readonly lease: Lease;
  /** Whether it took turns: then it may hold one of its id's slots. */
  readonly limited: boolean;
}

/**
 * Gives lanes of one kind back, each due at its earliest item or the end of its rest, and charges their tenants for the
 * items. Those that went to another worker are left alone.
 *
 * Items that stand as they were claimed are put off to `untouchedAt`: whoever worked them changed nothing. In a lane
 * that rests they wait in any case.
 *
 * A lane with more to do comes after those that wait already, so that any number of backlogs leaves none waiting.
 *
 * @returns those that are still ours and that another transaction had in hand, where it is not to be waited for
 */
export async function releaseLanes(
  tx: Tx,
  kind: LaneKind,
  worked: readonly WorkedLane[],
  how: { readonly now: Date; readonly untouchedAt: Date; readonly busy: "wait" | "skip" },
): Promise<readonly WorkedLane[]> {
  if (worked.length === 0) return [];
  const leases = worked.map(({ lease }) => lease);
  // Items that came meanwhile are seen only with the lane's row in hand.
  const held = new Set(await holdLanes(tx, leases, how.busy));
  const ours = worked.filter(({ lease }) => held.has(lease));
  if (ours.length > 0) await giveBackHeld(tx, kind, ours, how);
  if (how.busy === "wait" || ours.length === worked.length) return [];
  const busy = new Set(
    await stillOurs(
      tx,
      leases.filter((lease) => !held.has(lease)),
    ),
  );
  return worked.filter(({ lease }) => busy.has(lease));
}

async function giveBackHeld(
  tx: Tx,
  kind: LaneKind,
  worked: readonly WorkedLane[],
  { now, untouchedAt }: { readonly now: Date; readonly untouchedAt: Date },
): Promise<void> {
  const leases = worked.map(({ lease }) => lease);
  await freeSlots(
    tx,
    worked.flatMap(({ lease, limited }) => (limited ? [lease] : [])),
  );
  const items = leases.flatMap((lease) => lease.items);
  await sideBySide(putOffUntouched(tx, items, untouchedAt), giveBack(tx, leases, now), charge(tx, kind, leases));
}

async function putOffUntouched(tx: Tx, items: readonly LaneItem[], at: Date): Promise<void> {
  if (items.length === 0) return;
  const ids = items.map(({ id }) => id);
  const attempts = items.map((item) => String(item.attempts));
  const times = items.map(({ runAt }) => runAt.toISOString());
  await tx.execute(sql`
    update queue.items i set run_at = ${at.toISOString()}::timestamptz, attempts = least(i.attempts + 1, 30000)
    from unnest(${arrayParam(ids, "uuid")}, ${arrayParam(attempts, "smallint")}, ${arrayParam(times, "timestamptz")})
      as claimed (id, attempts, run_at)
    where i.id = claimed.id and i.attempts = claimed.attempts and date_trunc('milliseconds', i.run_at) = claimed.run_at
      and not exists (
        select 1 from queue.lanes l
        where (l.workspace_id, l.kind, l.lane_id, l.tenant_uid) = (i.workspace_id, i.kind, i.lane_id, i.tenant_uid)
          and l.rest_until is not null
      )`);
}

async function giveBack(tx: Tx, leases: readonly Lease[], now: Date): Promise<void> {
  await tx.execute(sql`
    update queue.lanes l set lease_until = null, lease_token = null, holds_slot = false,
      pending = case when due.at is null then 0 else greatest(l.pending, 1) end,
      next_at = coalesce(greatest(least(due.urgent_at, greatest(due.at, l.rest_until)), ${now.toISOString()}::timestamptz), l.next_at)
    from ${tableOf(leases)} as mine (workspace_id, kind, lane_id, tenant_uid, token)
    cross join lateral (
      select (${earliest(sql``)}) as at, (${earliest(sql`and i.urgent`)}) as urgent_at
    ) due
    where (l.workspace_id, l.kind, l.lane_id, l.tenant_uid) = (mine.workspace_id, mine.kind, mine.lane_id, mine.tenant_uid)
      and l.lease_token = mine.token`);
}

/** One look at an index, however many items wait. */
function earliest(which: SQL): SQL {
  return sql`
    select min(i.run_at) from queue.items i
    where i.workspace_id = mine.workspace_id and i.kind = mine.kind and i.lane_id = mine.lane_id and i.tenant_uid = mine.tenant_uid ${which}`;
}

/** Whoever was idle starts at the least virtual time of those that wait: idling earns no credit. */
async function charge(tx: Tx, kind: LaneKind, leases: readonly Lease[]): Promise<void> {
  const costs = leases.map(({ items }) => String(Math.max(1, items.length)));
  await tx.execute(sql`
    with least_waiting as (
      select coalesce(min(w.virtual_time), 0) as time from (
        select l.workspace_id, l.tenant_uid from queue.lanes l where l.kind = ${kind} and l.pending > 0 order by l.next_at limit ${CANDIDATES_MAX}
      ) waiting join queue.tenants w on (w.workspace_id, w.tenant_uid, w.kind) = (waiting.workspace_id, waiting.tenant_uid, ${kind})
    )
    insert into queue.tenants as t (workspace_id, tenant_uid, kind, virtual_time)
    select workspace_id, tenant_uid, ${kind}, (select time from least_waiting) + sum(cost) from unnest(
      ${arrayParam(
        leases.map(({ key }) => key.workspaceId),
        "uuid",
      )},
      ${arrayParam(
        leases.map(({ key }) => key.tenantUid),
        "uuid",
      )},
      ${arrayParam(costs, "double precision")}
    ) as worked (workspace_id, tenant_uid, cost)
    group by workspace_id, tenant_uid order by workspace_id, tenant_uid
    on conflict (workspace_id, tenant_uid, kind) do update
      set virtual_time = excluded.virtual_time + greatest(0, t.virtual_time - (select time from least_waiting))`);
}
