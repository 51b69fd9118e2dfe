import { and, eq } from "drizzle-orm";
import type { ConnectionRef, IngestDeps } from "../deps.ts";
import { connections } from "../../../domain/connections/index.ts";
import { subscriptions } from "../tables.ts";

const DEADLINE_MS = 5_000;
/** For all topics together: somebody may be waiting. */
const TOTAL_MS_MAX = 10_000;

/**
 * Takes back the subscriptions of a connection that ended, while its grant's tokens still work for others. What cannot
 * be removed now is left to the sweep.
 */
export async function removeSubscriptions(
  deps: Pick<IngestDeps, "worker" | "client" | "connectorById" | "clock" | "log">,
  { workspaceId, connectionId }: ConnectionRef,
): Promise<void> {
  const rows = await deps.worker.withWorkspace(workspaceId, (tx) =>
    tx
      .select({
        topic: subscriptions.topic,
        remoteId: subscriptions.remoteId,
        grantId: connections.grantId,
        provider: connections.provider,
      })
      .from(subscriptions)
      .innerJoin(
        connections,
        and(eq(connections.workspaceId, subscriptions.workspaceId), eq(connections.id, subscriptions.connectionId)),
      )
      .where(and(eq(subscriptions.workspaceId, workspaceId), eq(subscriptions.connectionId, connectionId))),
  );
  const startedAt = deps.clock.now().getTime();
  for (const { topic, remoteId, grantId, provider } of rows) {
    if (deps.clock.now().getTime() - startedAt > TOTAL_MS_MAX) return;
    const webhooks = deps.connectorById(provider)?.webhooks;
    if (!webhooks) return;
    const options = { priority: "interactive", deadlineMs: DEADLINE_MS } as const;
    const outcome = await deps.client.call({ workspaceId, grantId }, webhooks.subscriptions.remove(remoteId), options);
    if (!outcome.ok && outcome.fault.kind !== "gone") {
      deps.log.warn({ workspaceId, connectionId, topic, fault: outcome.fault.kind }, "subscription not removed");
      // The others would fare no better.
      return;
    }
    await deps.worker.withWorkspace(workspaceId, (tx) =>
      tx
        .delete(subscriptions)
        .where(
          and(
            eq(subscriptions.workspaceId, workspaceId),
            eq(subscriptions.connectionId, connectionId),
            eq(subscriptions.topic, topic),
          ),
        ),
    );
  }
}
