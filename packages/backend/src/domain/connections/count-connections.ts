import type { ConnectionStatus, WorkspaceId } from "@patchbay/shared";
import { count, eq } from "drizzle-orm";
import type { Tx } from "../../platform/db/index.ts";
import { connections } from "./tables.ts";

/** How many connections a workspace has in each status. */
export function countConnections(
  tx: Tx,
  workspaceId: WorkspaceId,
): Promise<readonly { readonly status: ConnectionStatus; readonly connections: number }[]> {
  return tx
    .select({ status: connections.status, connections: count() })
    .from(connections)
    .where(eq(connections.workspaceId, workspaceId))
    .groupBy(connections.status);
}
