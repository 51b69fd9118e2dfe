import type { ProviderFault } from "../../../connectors/kit/index.ts";
import { enqueue, type ClaimedLane, type LaneItem } from "../../../platform/lanes/index.ts";
import { backOff } from "../backoff.ts";
import type { IngestDeps } from "../deps.ts";
import type { LaneConnection } from "../lane-connection.ts";
import { insertRun } from "../runs/insert-run.ts";
import { fetchItem, hintItem, runItem } from "../tasks.ts";
import { registerSubscriptions, type SubscribeDeps } from "./register-subscriptions.ts";

type ActivateDeps = SubscribeDeps & Pick<IngestDeps, "client" | "wake">;

/** Then the run begins without webhooks; polling and the daily audit make up for them. */
const ATTEMPTS_MAX = 5;

/**
 * What follows when a connection begins to work: webhooks first, so that nothing is missed, then the first run; after a
 * repair, a run over what was missed.
 */
export async function activate(
  deps: ActivateDeps,
  lane: ClaimedLane,
  item: LaneItem,
  connection: LaneConnection,
): Promise<void> {
  const { row, owner } = connection;
  const done = [{ id: item.id, outcome: "done" as const }];
  if (row.status !== "active") return deps.worker.withWorkspace(owner.workspaceId, (tx) => lane.settle(tx, done));
  const registered = await registerSubscriptions(
    deps,
    (request) => deps.client.call(connection.target, request, { priority: "webhook", signal: lane.signal }),
    connection,
  );
  if (lane.signal.aborted) return;
  if (!registered.ok && isPassing(registered.fault) && item.attempts < ATTEMPTS_MAX) {
    const { fault } = registered;
    const retryAfter = fault.kind === "rate_limited" ? fault.retryAfterSeconds : null;
    const at = backOff(deps.clock.now(), item.attempts, retryAfter);
    return deps.worker.withWorkspace(owner.workspaceId, (tx) => lane.settle(tx, [{ id: item.id, outcome: { at } }]));
  }
  if (!registered.ok) deps.log.warn({ ...connection.lane, fault: registered.fault.kind }, "webhooks not subscribed");
  await deps.worker.withWorkspace(owner.workspaceId, async (tx) => {
    await lane.fence(tx);
    const now = deps.clock.now();
    const kind = row.lastSyncedAt === null ? "initial" : "incremental";
    const mode = kind === "initial" ? "full" : "incremental";
    const run = await insertRun(tx, connection.lane, { kind, mode, models: row.models, now });
    await enqueue(tx, [
      runItem(connection.lane, run.runId, now),
      fetchItem(connection.lane, now),
      hintItem(connection.lane, "routeParked", now),
    ]);
    await lane.settle(tx, done);
  });
  deps.wake.poke("lanes:connection");
}

function isPassing(fault: ProviderFault): boolean {
  return fault.kind === "unavailable" || fault.kind === "rate_limited";
}
