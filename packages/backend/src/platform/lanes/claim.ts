import type { TenantUid, WorkspaceId } from "@patchbay/shared";
import { sql } from "drizzle-orm";
import { randomUUID } from "node:crypto";
import { arrayParam, type Tx } from "../db/index.ts";
import type { LaneKey, LaneKind } from "./enqueue.ts";

/** A lane that lost its worker is free again after this long, unless told otherwise; the promise is 45 s. */
export const LEASE_MS = 30_000;
/** Ready lanes looked at per claim; those of the tenants that had least so far are taken. */
const CANDIDATES_MAX = 500;

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

export type ItemOutcome = "done" | { readonly at: Date };

/** The lane went to another worker: nothing of this one may be written any more. */
export class LeaseLost extends Error {
  override readonly name = "LeaseLost";
  constructor() {
    super("the lane's lease went to another worker");
  }
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

/** Locks the lane's row and makes sure that the lease is still ours. @throws LeaseLost */
export async function fence(tx: Tx, lease: Lease): Promise<void> {
  const rows = await tx.execute(
    sql`select 1 from queue.lanes where ${isLane(lease.key)} and lease_token = ${lease.token} for update`,
  );
  if (rows.length === 0) throw new LeaseLost();
}

/** Ends items (`done`) or puts them off, in the transaction of the work's effects. @throws LeaseLost */
export async function settle(
  tx: Tx,
  lease: Lease,
  outcomes: readonly { readonly id: string; readonly outcome: ItemOutcome }[],
): Promise<void> {
  await fence(tx, lease);
  const done = outcomes.filter(({ outcome }) => outcome === "done").map(({ id }) => id);
  if (done.length > 0) {
    await tx.execute(sql`
      with gone as (delete from queue.items where id = any(${arrayParam(done, "uuid")}) returning 1)
      update queue.lanes set pending = greatest(0, pending - (select count(*) from gone)::int) where ${isLane(lease.key)}`);
  }
  for (const { id, outcome } of outcomes) {
    if (outcome === "done") continue;
    await tx.execute(
      sql`update queue.items set run_at = ${outcome.at.toISOString()}::timestamptz, attempts = least(attempts + 1, 30000) where id = ${id}`,
    );
  }
}

/**
 * Lets the lane rest: once given back, nothing but what is urgent is worked before `until`, whatever waits in it or
 * comes. Claiming it ends its rest.
 *
 * @throws LeaseLost
 */
export async function restLane(tx: Tx, lease: Lease, until: Date): Promise<void> {
  await fence(tx, lease);
  await tx.execute(
    sql`update queue.lanes set rest_until = ${until.toISOString()}::timestamptz where ${isLane(lease.key)}`,
  );
}

/** Ends the rest of all lanes of one id, whosever tenant's they are. Call it in a transaction of its own. */
export async function endRest(tx: Tx, key: Omit<LaneKey, "tenantUid">, now: Date): Promise<void> {
  const resting = sql`workspace_id = ${key.workspaceId} and kind = ${key.kind} and lane_id = ${key.laneId} and rest_until is not null`;
  // Locked in the order in which items are placed.
  await tx.execute(sql`select 1 from queue.lanes where ${resting} order by tenant_uid for update`);
  await tx.execute(sql`
    update queue.lanes set rest_until = null, next_at = least(next_at, ${now.toISOString()}::timestamptz)
    where ${resting}`);
}

/**
 * Puts off those of the claimed items that stand as they were claimed: whoever worked them changed nothing. In a lane
 * that rests they wait in any case.
 */
export async function putOffUntouched(tx: Tx, lease: Lease, at: Date): Promise<void> {
  const { items } = lease;
  await tx.execute(sql`
    update queue.items i set run_at = ${at.toISOString()}::timestamptz, attempts = least(i.attempts + 1, 30000)
    from unnest(
      ${arrayParam(
        items.map(({ id }) => id),
        "uuid",
      )},
      ${arrayParam(
        items.map(({ attempts }) => String(attempts)),
        "smallint",
      )},
      ${arrayParam(
        items.map(({ runAt }) => runAt.toISOString()),
        "timestamptz",
      )}
    ) as claimed (id, attempts, run_at)
    where i.id = claimed.id and i.attempts = claimed.attempts and date_trunc('milliseconds', i.run_at) = claimed.run_at
      and not exists (select 1 from queue.lanes where ${isLane(lease.key)} and rest_until is not null)`);
}

/**
 * Gives the lane back, due at its earliest item or the end of its rest, and charges its tenant `cost` units of virtual time. Call it after
 * {@link fence} in one transaction: items that came meanwhile are seen only with the lane's row in hand.
 *
 * A lane with more to do comes after those that wait already, so that any number of backlogs leaves none waiting.
 */
export async function releaseLane(tx: Tx, lease: Lease, cost: number, now: Date): Promise<void> {
  const { key } = lease;
  await tx.execute(sql`
    update queue.lanes l set lease_until = null, lease_token = null, holds_slot = false, pending = case when due.at is null then 0 else greatest(l.pending, 1) end,
      next_at = coalesce(greatest(least(due.urgent_at, greatest(due.at, l.rest_until)), ${now.toISOString()}::timestamptz), l.next_at)
    from (
      select
        (select min(run_at) from queue.items where ${isLane(key)}) as at,
        (select min(run_at) from queue.items where ${isLane(key)} and urgent) as urgent_at
    ) due
    where ${isLane(key)} and lease_token = ${lease.token}`);
  // Whoever was idle starts at the least virtual time of those that wait: idling earns no credit.
  await tx.execute(sql`
    insert into queue.tenants as t (workspace_id, tenant_uid, kind, virtual_time)
    values (${key.workspaceId}, ${key.tenantUid}, ${key.kind}, (${leastWaiting(key.kind)}) + ${cost})
    on conflict (workspace_id, tenant_uid, kind) do update
      set virtual_time = greatest(t.virtual_time, (${leastWaiting(key.kind)})) + ${cost}`);
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

function isLane(key: LaneKey) {
  return sql`workspace_id = ${key.workspaceId} and kind = ${key.kind} and lane_id = ${key.laneId} and tenant_uid = ${key.tenantUid}`;
}

function leastWaiting(kind: LaneKind) {
  return sql`
    select coalesce(min(w.virtual_time), 0) from (
      select l.workspace_id, l.tenant_uid from queue.lanes l where l.kind = ${kind} and l.pending > 0 order by l.next_at limit ${CANDIDATES_MAX}
    ) waiting join queue.tenants w on (w.workspace_id, w.tenant_uid, w.kind) = (waiting.workspace_id, waiting.tenant_uid, ${kind})`;
}
