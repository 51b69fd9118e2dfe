import { sql } from "drizzle-orm";
import { deleteRows, sumRows, type ForgetTenant, type RemovedRows } from "../db/index.ts";
import { queueFeed, queueItems, queueLanes, queueTenants } from "./tables.ts";

/**
 * Takes a tenant's work out of the queue. Who works one of its lanes loses it: nothing more can be written on its
 * behalf. Worker role only.
 *
 * In the order in which all lock: what was handed in, lanes by their key, items, virtual times.
 */
export const forgetTenantWork: ForgetTenant = async (tx, { workspaceId, tenantUid }, limit) => {
  const handedIn = await deleteRows(tx, queueFeed, ownOf(queueFeed), limit);
  await tx.execute(sql`
    select 1 from queue.lanes where workspace_id = ${workspaceId} and tenant_uid = ${tenantUid}
    order by workspace_id, kind, lane_id, tenant_uid limit ${limit} for update`);
  const removed: RemovedRows[] = [];
  for (const table of [queueLanes, queueItems, queueTenants]) {
    removed.push(await deleteRows(tx, table, ownOf(table), limit));
  }
  return sumRows(handedIn, ...removed);

  function ownOf(table: typeof queueFeed | typeof queueLanes | typeof queueItems | typeof queueTenants) {
    return sql`${table.workspaceId} = ${workspaceId} and ${table.tenantUid} = ${tenantUid}`;
  }
};
