import type { ConnectionId, GrantId } from "@patchbay/shared";
import { and, eq, exists, inArray, isNull, ne, notExists, sql } from "drizzle-orm";
import { alias } from "drizzle-orm/pg-core";
import { deleteRows, type ErasedTenant, type ForgetTenant, type Tx } from "../../platform/db/index.ts";
import { connections, grants } from "./tables.ts";

/**
 * Ends every connection of a tenant that is being erased. The host asked for it and is told nothing.
 *
 * @returns those that had not ended before
 */
export async function endConnectionsOfTenant(
  tx: Tx,
  { workspaceId, tenantUid, now }: ErasedTenant & { readonly now: Date },
): Promise<readonly ConnectionId[]> {
  // In id order, as all who lock several.
  const own = await tx
    .select({ id: connections.id, endedAt: connections.endedAt })
    .from(connections)
    .where(and(eq(connections.workspaceId, workspaceId), eq(connections.tenantUid, tenantUid)))
    .orderBy(connections.id)
    .for("update");
  const ids = own.filter((row) => row.endedAt === null).map((row) => row.id);
  if (ids.length === 0) return [];
  await tx
    .update(connections)
    .set({
      status: "disconnected",
      health: "ok",
      statusReason: "tenant_erased",
      nextRunAt: null,
      endedAt: now,
      updatedAt: now,
    })
    .where(and(eq(connections.workspaceId, workspaceId), inArray(connections.id, ids)));
  return ids;
}

/** Removes the connections of an erased tenant, after everything that hangs on them. */
export const forgetTenantConnections: ForgetTenant = (tx, { workspaceId, tenantUid }, limit) =>
  deleteRows(
    tx,
    connections,
    and(eq(connections.workspaceId, workspaceId), eq(connections.tenantUid, tenantUid)),
    limit,
  );

/** Grants that a tenant's connections hang or hung on, or that belong to it alone. */
export async function grantsOfTenant(tx: Tx, { workspaceId, tenantUid }: ErasedTenant): Promise<readonly GrantId[]> {
  const hung = tx
    .select({ one: sql`1` })
    .from(connections)
    .where(
      and(
        eq(connections.workspaceId, grants.workspaceId),
        eq(connections.grantId, grants.id),
        eq(connections.tenantUid, tenantUid),
      ),
    );
  const rows = await tx
    .select({ id: grants.id })
    .from(grants)
    .where(and(eq(grants.workspaceId, workspaceId), sql`(${eq(grants.ownerTenantUid, tenantUid)} or ${exists(hung)})`));
  return rows.map((row) => row.id);
}

/** Connections of a tenant whose grant another tenant's live connection hangs on: it will not be given back. */
export async function connectionsOnSharedGrants(
  tx: Tx,
  { workspaceId, tenantUid }: ErasedTenant,
): Promise<readonly ConnectionId[]> {
  const other = alias(connections, "other");
  const shared = tx
    .select({ one: sql`1` })
    .from(other)
    .where(
      and(
        eq(other.workspaceId, connections.workspaceId),
        eq(other.grantId, connections.grantId),
        ne(other.tenantUid, tenantUid),
        isNull(other.endedAt),
      ),
    );
  const rows = await tx
    .select({ id: connections.id })
    .from(connections)
    .where(and(eq(connections.workspaceId, workspaceId), eq(connections.tenantUid, tenantUid), exists(shared)));
  return rows.map((row) => row.id);
}

/** Removes grants whose tokens are destroyed and that no connection hangs on any more. @returns how many */
export async function deleteEndedGrants(
  tx: Tx,
  {
    workspaceId,
    grantIds,
  }: { readonly workspaceId: ErasedTenant["workspaceId"]; readonly grantIds: readonly GrantId[] },
): Promise<number> {
  if (grantIds.length === 0) return 0;
  const hung = tx
    .select({ one: sql`1` })
    .from(connections)
    .where(and(eq(connections.workspaceId, grants.workspaceId), eq(connections.grantId, grants.id)));
  const rows = await tx
    .delete(grants)
    .where(
      and(
        eq(grants.workspaceId, workspaceId),
        inArray(grants.id, [...grantIds]),
        eq(grants.state, "ended"),
        notExists(hung),
      ),
    )
    .returning({ id: grants.id });
  return rows.length;
}
