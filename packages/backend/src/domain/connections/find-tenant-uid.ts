import type { ConnectionId, TenantUid, WorkspaceId } from "@patchbay/shared";
import { and, eq, isNull } from "drizzle-orm";
import type { WithWorkspace } from "../../platform/db/index.ts";
import { tenants } from "../workspaces/index.ts";
import { connections } from "./tables.ts";

/** A tenant by the host's id of it, or by a connection of it; `null` for what is not there. */
export async function findTenantUid(
  deps: { readonly withWorkspace: WithWorkspace },
  workspaceId: WorkspaceId,
  of:
    | { readonly tenantId: string; readonly connectionId?: never }
    | { readonly connectionId: ConnectionId; readonly tenantId?: never },
): Promise<TenantUid | null> {
  const [row] = await deps.withWorkspace(workspaceId, (tx) =>
    of.tenantId === undefined
      ? tx
          .select({ uid: connections.tenantUid })
          .from(connections)
          .where(and(eq(connections.workspaceId, workspaceId), eq(connections.id, of.connectionId)))
      : tx
          .select({ uid: tenants.uid })
          .from(tenants)
          .where(
            and(eq(tenants.workspaceId, workspaceId), eq(tenants.externalId, of.tenantId), isNull(tenants.erasedAt)),
          ),
  );
  return row?.uid ?? null;
}
