import { and, eq } from "drizzle-orm";
import { deleteRows, sumRows, type ForgetTenant, type RemovedRows } from "../../platform/db/index.ts";
import { changeCounters, recordQuarantine, records } from "./tables.ts";

/** Removes what was stored of an erased tenant's objects. */
export const forgetTenantRecords: ForgetTenant = async (tx, { workspaceId, tenantUid }, limit) => {
  const removed: RemovedRows[] = [];
  for (const table of [records, recordQuarantine, changeCounters]) {
    const own = and(eq(table.workspaceId, workspaceId), eq(table.tenantUid, tenantUid));
    removed.push(await deleteRows(tx, table, own, limit));
  }
  return sumRows(...removed);
};
