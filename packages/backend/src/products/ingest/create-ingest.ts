import type { WorkspaceId } from "@patchbay/shared";
import type { Tx } from "../../platform/db/index.ts";
import { submit, type ClaimedLane } from "../../platform/lanes/index.ts";
import { connectionEnded } from "./connection-ended.ts";
import type { ConnectionRef, IngestDeps } from "./deps.ts";
import { handleLane } from "./handle-lane.ts";
import { accept, admit, type Delivery } from "./inbox/accept.ts";
import { createAdmission } from "./inbox/admission.ts";
import { createPostgresInbox } from "./inbox/postgres-inbox.ts";
import { pruneInbox } from "./inbox/prune-inbox.ts";
import { getInboxItem, getInboxRaw, listInbox } from "./inbox/read-inbox.ts";
import { retireRawKeys } from "./inbox/retire-raw-keys.ts";
import { cancelReplay } from "./replay/cancel-replay.ts";
import { getReplay, listReplays } from "./replay/read-replays.ts";
import { previewReplay, startReplay } from "./replay/start-replay.ts";
import { workReplay } from "./replay/work-replay.ts";
import { createRouter } from "./router/router.ts";
import { cancelRun } from "./runs/cancel-run.ts";
import { getRun, listRuns } from "./runs/read-runs.ts";
import { nextDueRun, scheduleDueRuns } from "./runs/schedule-due-runs.ts";
import { triggerRun, type TriggerRunInput } from "./runs/trigger-run.ts";
import { appAddress } from "./sources/app-source.ts";
import { createSourceCache } from "./sources/source-cache.ts";
import { auditSubscriptions } from "./subscriptions/audit-subscriptions.ts";
import { clearLeftSubscriptions, nextLeftSubscriptions } from "./subscriptions/clear-left-subscriptions.ts";
import { removeSubscriptions } from "./subscriptions/remove-subscriptions.ts";
import { hintItem, type LaneOwner } from "./tasks.ts";

export type Ingest = ReturnType<typeof createIngest>;

/** Brings in what providers hold: by their webhooks, and by runs. */
export function createIngest(deps: IngestDeps) {
  const inbox = createPostgresInbox(deps);
  const acceptDeps = { ...deps, inbox, findSource: createSourceCache(deps), admission: createAdmission() };
  return {
    /** Before the body of a delivery is read. */
    admit: (input: Parameters<typeof admit>[1]) => admit(acceptDeps, input),
    /** `POST /in/:provider/:source`; the path is read by `decodeSource`. */
    accept: (delivery: Delivery) => accept(acceptDeps, delivery),
    /** Runs in workers. */
    router: createRouter({ ...deps, inbox }),
    /** The handler of lanes of kind `connection`. */
    handleLane: (lane: ClaimedLane) => handleLane(deps, lane),
    /** The handler of lanes of kind `inboxReplay`. */
    handleReplay: (lane: ClaimedLane) => workReplay(deps, lane),

    triggerRun: (input: TriggerRunInput) => triggerRun(deps, input),
    getRun: (input: Parameters<typeof getRun>[1]) => getRun(deps, input),
    listRuns: (input: Parameters<typeof listRuns>[1]) => listRuns(deps, input),
    cancelRun: (input: Parameters<typeof cancelRun>[1]) => cancelRun(deps, input),
    /** Where a provider posts what concerns a workspace's app as a whole. */
    appAddress: (input: Parameters<typeof appAddress>[1]) => appAddress(deps, input),
    listInbox: (input: Parameters<typeof listInbox>[1]) => listInbox(deps, input),
    getInboxItem: (input: Parameters<typeof getInboxItem>[1]) => getInboxItem(deps, input),
    getInboxRaw: (input: Parameters<typeof getInboxRaw>[1]) => getInboxRaw(deps, input),
    previewReplay: (input: Parameters<typeof previewReplay>[1]) => previewReplay(deps, input),
    startReplay: (input: Parameters<typeof startReplay>[1]) => startReplay(deps, input),
    getReplay: (input: Parameters<typeof getReplay>[1]) => getReplay(deps, input),
    listReplays: (input: Parameters<typeof listReplays>[1]) => listReplays(deps, input),
    cancelReplay: (input: Parameters<typeof cancelReplay>[1]) => cancelReplay(deps, input),

    /** In the transaction that activates or repairs a connection; poke `lanes:connection` after the commit. */
    onConnectionActivated: (tx: Tx, connection: LaneOwner) =>
      submit(tx, [hintItem(connection, "activate", deps.clock.now())]),
    /** In the transaction that ends a connection. */
    onConnectionEnded: (tx: Tx, connection: ConnectionRef) => connectionEnded(tx, deps, connection),
    /** When a connection ended and its grant goes on: best effort, ten seconds in all. */
    removeSubscriptions: (connection: ConnectionRef) => removeSubscriptions(deps, connection),

    /** Sweeps. */
    scheduleDueRuns: (workspaceId: WorkspaceId) => scheduleDueRuns(deps, workspaceId),
    nextDueRun,
    clearLeftSubscriptions: (workspaceId: WorkspaceId) => clearLeftSubscriptions(deps, workspaceId),
    nextLeftSubscriptions: (tx: Tx, workspaceId: WorkspaceId) =>
      nextLeftSubscriptions(tx, workspaceId, deps.clock.now()),
    auditSubscriptions: (connection: ConnectionRef) => auditSubscriptions(deps, connection),
    pruneInbox: (workspaceId: WorkspaceId) => pruneInbox(deps, workspaceId),
    retireRawKeys: (workspaceId: WorkspaceId) => retireRawKeys(deps, workspaceId),
  };
}
