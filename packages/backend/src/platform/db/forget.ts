import type { TenantUid, WorkspaceId } from "@patchbay/shared";
import { getTableConfig, type PgTable } from "drizzle-orm/pg-core";
import { sql, type SQL } from "drizzle-orm";
import type { Tx } from "./database.ts";

/** An erased tenant, as rows know it. */
export interface ErasedTenant {
  readonly workspaceId: WorkspaceId;
  readonly tenantUid: TenantUid;
}

/** Table → rows that were removed. Adds up to nothing once none is left. */
export type RemovedRows = Readonly<Record<string, number>>;

/**
 * A module's verb for an erased tenant: removes at most `limit` rows of each of its tables, parents after their
 * children. Called again until it removes nothing; safe to call at any time after.
 */
export type ForgetTenant = (tx: Tx, tenant: ErasedTenant, limit: number) => Promise<RemovedRows>;

/** Deletes at most `limit` rows of a table. A row that somebody changed meanwhile is left for the next call. */
export async function deleteRows(tx: Tx, table: PgTable, where: SQL | undefined, limit: number): Promise<RemovedRows> {
  if (where === undefined) throw new Error("rows are deleted by a condition only");
  const [row] = await tx.execute<{ count: number }>(sql`
    with gone as (
      delete from ${table} where ctid = any(array(select ctid from ${table} where ${where} limit ${limit})) returning 1
    ) select count(*)::int as count from gone`);
  return countOf(table, row?.count ?? 0);
}

/** How a count is named in {@link RemovedRows}: by the table, and its schema where that is not `public`. */
export function countOf(table: PgTable, count: number): RemovedRows {
  const { schema, name } = getTableConfig(table);
  return count === 0 ? {} : { [schema === undefined ? name : `${schema}.${name}`]: count };
}

export function sumRows(...parts: readonly RemovedRows[]): RemovedRows {
  const sum: Record<string, number> = {};
  for (const [table, count] of parts.flatMap((part) => Object.entries(part))) sum[table] = (sum[table] ?? 0) + count;
  return sum;
}
