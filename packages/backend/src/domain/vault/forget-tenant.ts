import type { WorkspaceId } from "@patchbay/shared";
import { and, eq, ne } from "drizzle-orm";
import { deleteRows, type ForgetTenant, type Tx } from "../../platform/db/index.ts";
import { dataKeys, workspaceKeys } from "./tables.ts";

/** Removes what is left of an erased tenant's keys, once nothing is stored that they sealed. */
export const forgetTenantKeys: ForgetTenant = (tx, { workspaceId, tenantUid }, limit) =>
  deleteRows(
    tx,
    dataKeys,
    and(eq(dataKeys.workspaceId, workspaceId), eq(dataKeys.tenantUid, tenantUid), eq(dataKeys.state, "destroyed")),
    limit,
  );

/** The versions of the key-encryption key that wrap a workspace's keys now, and with them those in today's backups. */
export async function keyVersionsOf(tx: Tx, workspaceId: WorkspaceId): Promise<readonly string[]> {
  const rows = await tx
    .selectDistinct({ provider: workspaceKeys.provider, version: workspaceKeys.kekVersion })
    .from(workspaceKeys)
    .where(and(eq(workspaceKeys.workspaceId, workspaceId), ne(workspaceKeys.state, "destroyed")));
  return rows.map((row) => `${row.provider}:${row.version}`).toSorted();
}
