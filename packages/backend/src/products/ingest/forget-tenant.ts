import type { SourceId } from "@patchbay/shared";
import { and, eq, inArray, or, sql } from "drizzle-orm";
import { connections } from "../../domain/connections/index.ts";
import type { Vault } from "../../domain/vault/index.ts";
import {
  NIL_UUID,
  arrayParam,
  countOf,
  deleteRows,
  sumRows,
  type ErasedTenant,
  type ForgetTenant,
  type RemovedRows,
  type Tx,
} from "../../platform/db/index.ts";
import { connectionWaiter } from "./router/waiting-for.ts";
import {
  dirtyMarks,
  inboxDedupe,
  inboxOutcomes,
  inboxReplays,
  runs,
  sources,
  subscriptions,
  syncCursors,
} from "./tables.ts";

/** The webhook addresses that were a tenant's own: one per connection. */
export async function sourcesOfTenant(tx: Tx, tenant: ErasedTenant): Promise<readonly SourceId[]> {
  const rows = await sourcesOf(tx, tenant);
  return rows.map((row) => row.id);
}

/**
 * Destroys the keys of everything that ever arrived at these addresses. What arrived at an address of a whole app mixes
 * accounts, and stays sealed until its retention ends.
 *
 * @returns how many keys
 */
export async function shredSources(
  tx: Tx,
  deps: { readonly vault: Pick<Vault, "destroyKeys"> },
  input: { readonly workspaceId: ErasedTenant["workspaceId"]; readonly sourceIds: readonly SourceId[] },
): Promise<number> {
  let keys = 0;
  for (const sourceId of input.sourceIds) {
    keys += await deps.vault.destroyKeys(tx, {
      workspaceId: input.workspaceId,
      tenantUid: NIL_UUID,
      purpose: "raw",
      scopePrefix: `${sourceId}:`,
    });
  }
  return keys;
}

/** Removes what was planned, done and remembered for an erased tenant's connections. */
export const forgetTenantSyncs: ForgetTenant = async (tx, tenant, limit) => {
  const { workspaceId } = tenant;
  const removed: RemovedRows[] = [await unnameOutcomes(tx, tenant, limit), await endWaiting(tx, tenant, limit)];
  const ofReplays = or(
    inArray(inboxReplays.connectionId, connectionsOf(tx, tenant)),
    inArray(inboxReplays.sourceId, sourcesOf(tx, tenant)),
  );
  removed.push(await deleteRows(tx, inboxReplays, and(eq(inboxReplays.workspaceId, workspaceId), ofReplays), limit));
  for (const table of [dirtyMarks, runs, syncCursors, subscriptions]) {
    const own = and(eq(table.workspaceId, workspaceId), inArray(table.connectionId, connectionsOf(tx, tenant)));
    removed.push(await deleteRows(tx, table, own, limit));
  }
  const sourceIds = await sourcesOfTenant(tx, tenant);
  const seen = and(eq(inboxDedupe.workspaceId, workspaceId), inArray(inboxDedupe.sourceId, [...sourceIds]));
  const dedupe = sourceIds.length === 0 ? {} : await deleteRows(tx, inboxDedupe, seen, limit);
  // The keys of copies seen are found by the sources, so these go last.
  if (Object.keys(dedupe).length > 0) return sumRows(...removed, dedupe);
  const own = and(eq(sources.workspaceId, workspaceId), inArray(sources.connectionId, connectionsOf(tx, tenant)));
  return sumRows(...removed, await deleteRows(tx, sources, own, limit));
};

/** What became of a delivery says no more whose it was; that it came is kept with it until the retention ends. */
async function unnameOutcomes(tx: Tx, { workspaceId, tenantUid }: ErasedTenant, limit: number): Promise<RemovedRows> {
  const [row] = await tx.execute<{ count: number }>(sql`
    with named as (
      update inbox_outcomes set tenant_uid = null, connection_id = null where ctid = any(array(
        select ctid from inbox_outcomes where workspace_id = ${workspaceId} and tenant_uid = ${tenantUid} limit ${limit}
      )) returning 1
    ) select count(*)::int as count from named`);
  return countOf(inboxOutcomes, row?.count ?? 0);
}

/** Nothing waits any more for a connection of an erased tenant to appear. */
async function endWaiting(tx: Tx, { workspaceId, tenantUid }: ErasedTenant, limit: number): Promise<RemovedRows> {
  const rows = await connectionsOf(tx, { workspaceId, tenantUid });
  const waiters = rows.map(({ id }) => connectionWaiter(id).toString("hex"));
  const [row] = await tx.execute<{ count: number }>(sql`
    with ended as (
      update inbox_outcomes set waits_for = null where ctid = any(array(
        select ctid from inbox_outcomes where workspace_id = ${workspaceId}
          and waits_for = any(array(select decode(each, 'hex') from unnest(${arrayParam(waiters, "text")}) as each)) limit ${limit}
      )) returning 1
    ) select count(*)::int as count from ended`);
  return countOf(inboxOutcomes, row?.count ?? 0);
}

function sourcesOf(tx: Tx, tenant: ErasedTenant) {
  return tx
    .select({ id: sources.id })
    .from(sources)
    .where(and(eq(sources.workspaceId, tenant.workspaceId), inArray(sources.connectionId, connectionsOf(tx, tenant))));
}

function connectionsOf(tx: Tx, { workspaceId, tenantUid }: ErasedTenant) {
  return tx
    .select({ id: connections.id })
    .from(connections)
    .where(and(eq(connections.workspaceId, workspaceId), eq(connections.tenantUid, tenantUid)));
}
