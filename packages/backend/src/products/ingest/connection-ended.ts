import { and, eq, inArray, isNull, sql } from "drizzle-orm";
import type { Tx } from "../../platform/db/index.ts";
import type { ConnectionRef, IngestDeps } from "./deps.ts";
import { dirtyMarks, runs, sources, subscriptions } from "./tables.ts";

/**
 * Stops all work for a connection, in the transaction that ends it: marks go, a queued run is canceled, a running one
 * ends after its page, the source is closed.
 */
export async function connectionEnded(
  tx: Tx,
  deps: Pick<IngestDeps, "clock">,
  { workspaceId, connectionId }: ConnectionRef,
): Promise<void> {
  const now = deps.clock.now();
  await tx
    .delete(dirtyMarks)
    .where(and(eq(dirtyMarks.workspaceId, workspaceId), eq(dirtyMarks.connectionId, connectionId)));
  await tx
    .update(runs)
    .set({
      cancelRequestedAt: now,
      status: sql`case when ${runs.status} = 'queued' then 'canceled' else ${runs.status} end`,
      finishedAt: sql`case when ${runs.status} = 'queued' then ${now.toISOString()}::timestamptz else ${runs.finishedAt} end`,
    })
    .where(
      and(
        eq(runs.workspaceId, workspaceId),
        eq(runs.connectionId, connectionId),
        inArray(runs.status, ["queued", "running"]),
      ),
    );
  await tx
    .update(sources)
    .set({ disabledAt: now })
    .where(
      and(eq(sources.workspaceId, workspaceId), eq(sources.connectionId, connectionId), isNull(sources.disabledAt)),
    );
}

/** The same for a connection whose access ended at the provider: its subscriptions went with it. */
export async function connectionRevoked(
  tx: Tx,
  deps: Pick<IngestDeps, "clock">,
  connection: ConnectionRef,
): Promise<void> {
  const { workspaceId, connectionId } = connection;
  await connectionEnded(tx, deps, connection);
  await tx
    .delete(subscriptions)
    .where(and(eq(subscriptions.workspaceId, workspaceId), eq(subscriptions.connectionId, connectionId)));
}
