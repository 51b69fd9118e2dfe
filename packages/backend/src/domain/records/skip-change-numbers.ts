import type { WorkspaceId } from "@patchbay/shared";
import { sql } from "drizzle-orm";
import type { Tx } from "../../platform/db/index.ts";
import { changeCounters } from "./tables.ts";

/** More than a tenant has changes between a backup and its restore. */
const LEAP = 1_000_000;

/**
 * Lets the numbers of changes go on far above all that were given out: a host that reads behind a number which only
 * the lost database knew would miss every change up to it. Tenants without a change so far are counted too.
 *
 * @param least above every number that was given after the same backup was restored before
 */
export async function skipChangeNumbers(tx: Tx, workspaceId: WorkspaceId, least: number): Promise<void> {
  await tx.execute(sql`
    insert into ${changeCounters} as c (workspace_id, tenant_uid, value)
    select workspace_id, uid, ${least}::bigint from tenants where workspace_id = ${workspaceId} and erased_at is null
    on conflict (workspace_id, tenant_uid) do update set value = greatest(c.value + ${LEAP}, ${least}::bigint)`);
}
