import type { WorkspaceId } from "@patchbay/shared";
import { and, eq, inArray, isNotNull } from "drizzle-orm";
import { connections, grants } from "../../../domain/connections/index.ts";
import type { Tx } from "../../../platform/db/index.ts";
import type { IngestDeps } from "../deps.ts";
import { subscriptions } from "../tables.ts";
import { removeSubscriptions } from "./remove-subscriptions.ts";

/** Connections of one sweep; the next takes the rest. */
const CONNECTIONS_MAX = 20;

/**
 * Takes back subscriptions of ended connections that could not be removed when they ended, and forgets those whose
 * grant is gone: we have no way to them any more, and their deliveries find no connection.
 */
export async function clearLeftSubscriptions(
  deps: Pick<IngestDeps, "worker" | "client" | "connectorById" | "clock" | "log">,
  workspaceId: WorkspaceId,
): Promise<void> {
  const left = await deps.worker.withWorkspace(workspaceId, (tx) =>
    tx
      .selectDistinct({ connectionId: connections.id, state: grants.state, handedOverAt: grants.handedOverAt })
      .from(subscriptions)
      .innerJoin(
        connections,
        and(eq(connections.workspaceId, subscriptions.workspaceId), eq(connections.id, subscriptions.connectionId)),
      )
      .innerJoin(grants, and(eq(grants.workspaceId, connections.workspaceId), eq(grants.id, connections.grantId)))
      .where(and(eq(subscriptions.workspaceId, workspaceId), isNotNull(connections.endedAt)))
      .limit(CONNECTIONS_MAX),
  );
  const lost = left.filter(({ state, handedOverAt }) => GONE.has(state) || handedOverAt !== null);
  const lostIds = lost.map(({ connectionId }) => connectionId);
  if (lostIds.length > 0) {
    await deps.worker.withWorkspace(workspaceId, (tx) =>
      tx
        .delete(subscriptions)
        .where(and(eq(subscriptions.workspaceId, workspaceId), inArray(subscriptions.connectionId, lostIds))),
    );
  }
  for (const { connectionId } of left) {
    if (!lostIds.includes(connectionId)) await removeSubscriptions(deps, { workspaceId, connectionId });
  }
}

/** Whether any are left, for the next sweep to try. */
export async function nextLeftSubscriptions(tx: Tx, workspaceId: WorkspaceId, now: Date): Promise<Date | null> {
  const [left] = await tx
    .select({ id: subscriptions.connectionId })
    .from(subscriptions)
    .innerJoin(
      connections,
      and(eq(connections.workspaceId, subscriptions.workspaceId), eq(connections.id, subscriptions.connectionId)),
    )
    .where(and(eq(subscriptions.workspaceId, workspaceId), isNotNull(connections.endedAt)))
    .limit(1);
  return left === undefined ? null : now;
}

const GONE: ReadonlySet<string> = new Set(["dead", "ended"]);
