import type { WorkspaceId } from "@patchbay/shared";
import type { Tx } from "../../platform/db/index.ts";
import { submit, type ClaimedLane } from "../../platform/lanes/index.ts";
import { connectionEnded } from "./connection-ended.ts";
import type { ConnectionRef, IngestDeps } from "./deps.ts";
import { handleLane } from "./handle-lane.ts";
import { accept, type Delivery } from "./inbox/accept.ts";
import { appendInbox, type InboxRow } from "./inbox/append-inbox.ts";
import { createInboxWriter } from "./inbox/inbox-writer.ts";
import { pruneDedupe } from "./inbox/prune-dedupe.ts";
import { getInboxItem, listInbox } from "./inbox/read-inbox.ts";
import { createRouter } from "./router/router.ts";
import { cancelRun } from "./runs/cancel-run.ts";
import { getRun, listRuns } from "./runs/read-runs.ts";
import { scheduleDueRuns } from "./runs/schedule-due-runs.ts";
import { triggerRun, type TriggerRunInput } from "./runs/trigger-run.ts";
import { createSourceCache } from "./sources/source-cache.ts";
import { auditSubscriptions } from "./subscriptions/audit-subscriptions.ts";
import { clearLeftSubscriptions } from "./subscriptions/clear-left-subscriptions.ts";
import { removeSubscriptions } from "./subscriptions/remove-subscriptions.ts";
import { hintItem, type LaneOwner } from "./tasks.ts";

export type Ingest = ReturnType<typeof createIngest>;

/** Brings in what providers hold: by their webhooks, and by runs. */
export function createIngest(deps: IngestDeps) {
  const acceptDeps = {
    ...deps,
    findSource: createSourceCache(deps),
    writer: createInboxWriter<InboxRow>(async (rows) => {
      await appendInbox(deps.ingest, rows);
      deps.wake.poke("arrivals");
    }),
  };
  return {
    /** `POST /in/:provider/:source`; the path is read by `decodeSource`. */
    accept: (delivery: Delivery) => accept(acceptDeps, delivery),
    /** Runs in workers. */
    router: createRouter(deps),
    /** The handler of lanes of kind `connection`. */
    handleLane: (lane: ClaimedLane) => handleLane(deps, lane),

    triggerRun: (input: TriggerRunInput) => triggerRun(deps, input),
    getRun: (input: Parameters<typeof getRun>[1]) => getRun(deps, input),
    listRuns: (input: Parameters<typeof listRuns>[1]) => listRuns(deps, input),
    cancelRun: (input: Parameters<typeof cancelRun>[1]) => cancelRun(deps, input),
    listInbox: (input: Parameters<typeof listInbox>[1]) => listInbox(deps, input),
    getInboxItem: (input: Parameters<typeof getInboxItem>[1]) => getInboxItem(deps, input),

    /** In the transaction that activates or repairs a connection; poke `lanes:connection` after the commit. */
    onConnectionActivated: (tx: Tx, connection: LaneOwner) =>
      submit(tx, [hintItem(connection, "activate", deps.clock.now())]),
    /** In the transaction that ends a connection. */
    onConnectionEnded: (tx: Tx, connection: ConnectionRef) => connectionEnded(tx, deps, connection),
    /** When a connection ended and its grant goes on: best effort, ten seconds in all. */
    removeSubscriptions: (connection: ConnectionRef) => removeSubscriptions(deps, connection),

    /** Sweeps. */
    scheduleDueRuns: (workspaceId: WorkspaceId) => scheduleDueRuns(deps, workspaceId),
    clearLeftSubscriptions: (workspaceId: WorkspaceId) => clearLeftSubscriptions(deps, workspaceId),
    auditSubscriptions: (connection: ConnectionRef) => auditSubscriptions(deps, connection),
    pruneDedupe: (workspaceId: WorkspaceId) => pruneDedupe(deps, workspaceId),
  };
}
