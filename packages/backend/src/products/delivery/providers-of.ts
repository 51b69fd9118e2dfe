import type { ConnectionId, WorkspaceId } from "@patchbay/shared";
import { and, eq, sql } from "drizzle-orm";
import { connections } from "../../domain/connections/index.ts";
import type { Tx } from "../../platform/db/index.ts";

/**
 * Looks providers of events up, where an endpoint asks for some only.
 *
 * @returns the provider of a connection; `null` when the event has none
 */
export async function providersOf(
  tx: Tx,
  workspaceId: WorkspaceId,
  asking: readonly { readonly providers: readonly string[] | null }[],
  about: readonly { readonly connectionId: ConnectionId | null }[],
): Promise<(connectionId: ConnectionId | null) => string | null> {
  const ids = new Set(about.flatMap(({ connectionId }) => connectionId ?? []));
  if (ids.size === 0 || asking.every(({ providers }) => providers === null)) return () => null;
  const rows = await tx
    .select({ id: connections.id, provider: connections.provider })
    .from(connections)
    .where(and(eq(connections.workspaceId, workspaceId), sql`${connections.id} = any(${sql.param([...ids])}::uuid[])`));
  const found = new Map(rows.map(({ id, provider }) => [id, provider]));
  return (connectionId) => (connectionId === null ? null : (found.get(connectionId) ?? null));
}
