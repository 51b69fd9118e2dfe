import { sql, type SQL } from "drizzle-orm";
import { arrayParam, type Tx } from "../db/index.ts";
import type { Lease } from "./claim.ts";
import type { LaneKey } from "./enqueue.ts";
import { isLane, tableOf } from "./lane-sql.ts";

export type ItemOutcome = "done" | { readonly at: Date };

/** What became of items of one lane. */
export interface Settlement {
  readonly lease: Lease;
  readonly outcomes: readonly { readonly id: string; readonly outcome: ItemOutcome }[];
}

/** The lane went to another worker: nothing of this one may be written any more. */
export class LeaseLost extends Error {
  override readonly name = "LeaseLost";
  constructor() {
    super("the lane's lease went to another worker");
  }
}

/**
 * Locks the lanes' rows, in the order in which items are placed.
 *
 * @param busy what to do about those that another transaction has locked
 * @returns those whose lease is still ours
 */
export async function holdLanes(
  tx: Tx,
  leases: readonly Lease[],
  busy: "wait" | "skip" = "wait",
): Promise<readonly Lease[]> {
  const order = sql`order by l.workspace_id, l.kind, l.lane_id, l.tenant_uid for update of l`;
  return ours(tx, leases, busy === "skip" ? sql`${order} skip locked` : order);
}

/** @returns those whose lease is still ours, as far as is known without locking them */
export function stillOurs(tx: Tx, leases: readonly Lease[]): Promise<readonly Lease[]> {
  return ours(tx, leases, sql``);
}

async function ours(tx: Tx, leases: readonly Lease[], locked: SQL): Promise<readonly Lease[]> {
  const rows = await tx.execute<{ n: number }>(sql`
    select mine.n::int as n from queue.lanes l
    join ${tableOf(leases)} with ordinality as mine (workspace_id, kind, lane_id, tenant_uid, token, n)
      on (l.workspace_id, l.kind, l.lane_id, l.tenant_uid, l.lease_token) = (mine.workspace_id, mine.kind, mine.lane_id, mine.tenant_uid, mine.token)
    ${locked}`);
  const held = new Set([...rows].map(({ n }) => n));
  return leases.filter((_, index) => held.has(index + 1));
}

/** Locks the lane's row and makes sure that the lease is still ours. @throws LeaseLost */
export async function fence(tx: Tx, lease: Lease): Promise<void> {
  const rows = await tx.execute(
    sql`select 1 from queue.lanes where ${isLane(lease.key)} and lease_token = ${lease.token} for update`,
  );
  if (rows.length === 0) throw new LeaseLost();
}

/**
 * Ends items (`done`) or puts them off, in the transaction of the work's effects.
 *
 * @throws LeaseLost when one of the lanes went to another worker
 */
export async function settle(tx: Tx, settlements: readonly Settlement[]): Promise<void> {
  const leases = [...new Set(settlements.map(({ lease }) => lease))];
  const held = await holdLanes(tx, leases);
  if (held.length < leases.length) throw new LeaseLost();
  const outcomes = settlements.flatMap((settlement) => settlement.outcomes);
  const done = outcomes.flatMap(({ id, outcome }) => (outcome === "done" ? [id] : []));
  const later = outcomes.flatMap(({ id, outcome }) => (outcome === "done" ? [] : [{ id, at: outcome.at }]));
  if (done.length > 0) await end(tx, done);
  if (later.length > 0) await putOff(tx, later);
}

async function end(tx: Tx, ids: readonly string[]): Promise<void> {
  await tx.execute(sql`
    with gone as (
      delete from queue.items where id = any(${arrayParam(ids, "uuid")}) returning workspace_id, kind, lane_id, tenant_uid
    )
    update queue.lanes l set pending = greatest(0, l.pending - of.items)
    from (select workspace_id, kind, lane_id, tenant_uid, count(*)::int as items from gone group by 1, 2, 3, 4) of
    where (l.workspace_id, l.kind, l.lane_id, l.tenant_uid) = (of.workspace_id, of.kind, of.lane_id, of.tenant_uid)`);
}

async function putOff(tx: Tx, items: readonly { readonly id: string; readonly at: Date }[]): Promise<void> {
  const ids = items.map(({ id }) => id);
  const times = items.map(({ at }) => at.toISOString());
  await tx.execute(sql`
    update queue.items i set run_at = later.at, attempts = least(i.attempts + 1, 30000)
    from unnest(${arrayParam(ids, "uuid")}, ${arrayParam(times, "timestamptz")}) as later (id, at) where i.id = later.id`);
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
