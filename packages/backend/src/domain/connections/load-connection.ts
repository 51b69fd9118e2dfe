import { AppError, type ConnectionId, type GrantId, type TenantUid, type WorkspaceId } from "@patchbay/shared";
import { and, eq, isNull } from "drizzle-orm";
import type { Tx } from "../../platform/db/index.ts";
import { connections } from "./tables.ts";

export type ConnectionRow = typeof connections.$inferSelect;

/** @throws AppError `connection_not_found` */
export async function loadConnection(tx: Tx, workspaceId: WorkspaceId, id: ConnectionId): Promise<ConnectionRow> {
  const [row] = await tx.select().from(connections).where(mine(workspaceId, id));
  if (row === undefined) throw notFound();
  return row;
}

/** As {@link loadConnection}, and nobody else changes the row until the end of the transaction. */
export async function lockConnection(tx: Tx, workspaceId: WorkspaceId, id: ConnectionId): Promise<ConnectionRow> {
  const [row] = await tx.select().from(connections).where(mine(workspaceId, id)).for("no key update");
  if (row === undefined) throw notFound();
  return row;
}

/** The tenant's connection to an account that has not ended: there is at most one. */
export async function findByAccount(
  tx: Tx,
  account: {
    readonly workspaceId: WorkspaceId;
    readonly tenantUid: TenantUid;
    readonly provider: string;
    readonly accountId: string;
    readonly mode: "live" | "test";
  },
): Promise<ConnectionRow | null> {
  const [row] = await tx
    .select()
    .from(connections)
    .where(
      and(
        eq(connections.workspaceId, account.workspaceId),
        eq(connections.tenantUid, account.tenantUid),
        eq(connections.provider, account.provider),
        eq(connections.accountId, account.accountId),
        eq(connections.mode, account.mode),
        isNull(connections.endedAt),
      ),
    );
  return row ?? null;
}

/** Connections that hang on a grant and have not ended, in id order: the order in which they are locked. */
export async function connectionsOfGrant(
  tx: Tx,
  workspaceId: WorkspaceId,
  grantId: GrantId,
  lock?: "no key update",
): Promise<readonly ConnectionRow[]> {
  const rows = tx
    .select()
    .from(connections)
    .where(and(eq(connections.workspaceId, workspaceId), eq(connections.grantId, grantId), isNull(connections.endedAt)))
    .orderBy(connections.id);
  return lock === undefined ? rows : rows.for(lock);
}

function mine(workspaceId: WorkspaceId, id: ConnectionId) {
  return and(eq(connections.workspaceId, workspaceId), eq(connections.id, id));
}

function notFound(): AppError {
  return new AppError("connection_not_found", "no such connection");
}
