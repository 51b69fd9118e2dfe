import type { EndpointId, WorkspaceId } from "@patchbay/shared";
import { and, asc, eq, isNull } from "drizzle-orm";
import { isOneOf, type Tx } from "../../platform/db/index.ts";
import { endpoints } from "./tables.ts";

export type EndpointRow = typeof endpoints.$inferSelect;
type Lock = "update" | "share" | null;

/** The endpoint, unless it was deleted. */
export async function findEndpoint(
  tx: Tx,
  workspaceId: WorkspaceId,
  endpointId: EndpointId,
  lock: Lock = null,
): Promise<EndpointRow | null> {
  const [row] = await findEndpoints(tx, workspaceId, [endpointId], lock);
  return row ?? null;
}

/** The endpoints that were not deleted, locked by id. */
export async function findEndpoints(
  tx: Tx,
  workspaceId: WorkspaceId,
  ids: readonly EndpointId[],
  lock: Lock = null,
): Promise<readonly EndpointRow[]> {
  if (ids.length === 0) return [];
  const query = tx
    .select()
    .from(endpoints)
    .where(and(eq(endpoints.workspaceId, workspaceId), isOneOf(endpoints.id, ids), isNull(endpoints.deletedAt)))
    .orderBy(asc(endpoints.id));
  return lock === null ? query : query.for(lock);
}
