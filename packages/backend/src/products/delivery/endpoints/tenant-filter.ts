import type { TenantUid, WorkspaceId } from "@patchbay/shared";
import { and, eq, inArray, isNull } from "drizzle-orm";
import { holdTenant, tenantRef, tenants } from "../../../domain/workspaces/index.ts";
import type { Tx } from "../../../platform/db/index.ts";

/**
 * The tenants that an endpoint is to be for; each stays until the transaction ends, so that no erasure misses one.
 *
 * @param ids the host's; `null`: all
 * @throws AppError `tenant_not_found`
 */
export async function resolveTenants(
  tx: Tx,
  workspaceId: WorkspaceId,
  ids: readonly string[] | null,
): Promise<TenantUid[] | null> {
  if (ids === null) return null;
  const uids: TenantUid[] = [];
  for (const id of [...new Set(ids)].toSorted()) {
    const { uid } = await tenantRef(tx, { workspaceId, id });
    await holdTenant(tx, { workspaceId, uid });
    uids.push(uid);
  }
  return uids;
}

/** The host's ids of tenants; erased ones are left out. */
export async function tenantIdsOf(
  tx: Tx,
  workspaceId: WorkspaceId,
  uids: readonly TenantUid[],
): Promise<ReadonlyMap<TenantUid, string>> {
  if (uids.length === 0) return new Map();
  const rows = await tx
    .select({ uid: tenants.uid, id: tenants.externalId })
    .from(tenants)
    .where(and(eq(tenants.workspaceId, workspaceId), inArray(tenants.uid, [...uids]), isNull(tenants.erasedAt)));
  return new Map(rows.map(({ uid, id }) => [uid, id]));
}
