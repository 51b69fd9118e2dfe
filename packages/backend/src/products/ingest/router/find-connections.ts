import type { WorkspaceId } from "@patchbay/shared";
import { and, arrayOverlaps, eq, isNotNull, isNull, or } from "drizzle-orm";
import { connections } from "../../../domain/connections/index.ts";
import { tenants } from "../../../domain/workspaces/index.ts";
import { isOneOf, type Tx } from "../../../platform/db/index.ts";
import type { RoutableConnection } from "./plan-routes.ts";
import type { ReadArrival } from "./read-arrivals.ts";

/** Every connection that the arrivals may concern, ended ones too; those of erased tenants concern nobody. */
export async function findConnections(
  tx: Tx,
  workspaceId: WorkspaceId,
  arrivals: readonly ReadArrival[],
): Promise<readonly RoutableConnection[]> {
  const ids = arrivals.flatMap(({ source }) => source.connectionId ?? []);
  const keys = new Set(
    arrivals
      .filter(({ source }) => source.connectionId === null)
      .flatMap(({ content }) =>
        "changes" in content ? content.changes.flatMap(({ accountKey }) => accountKey ?? []) : [],
      )
      .filter((key) => !key.includes("\0") && key.isWellFormed()),
  );
  if (ids.length === 0 && keys.size === 0) return [];
  const rows = await tx
    .select({ connection: connections })
    .from(connections)
    .innerJoin(tenants, and(eq(tenants.workspaceId, connections.workspaceId), eq(tenants.uid, connections.tenantUid)))
    .where(
      and(
        eq(connections.workspaceId, workspaceId),
        or(
          ids.length === 0 ? undefined : isOneOf(connections.id, ids),
          keys.size === 0 ? undefined : isOneOf(connections.accountId, [...keys]),
          keys.size === 0 ? undefined : arrayOverlaps(connections.accountAliases, [...keys]),
        ),
        isNotNull(connections.activatedAt),
        isNull(tenants.erasedAt),
      ),
    );
  return rows.map(({ connection }) => ({ ...connection, ended: connection.endedAt !== null }));
}
