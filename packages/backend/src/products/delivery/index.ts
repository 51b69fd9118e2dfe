import type { WorkspaceId } from "@patchbay/shared";
import type { DeliveryDeps } from "./deps.ts";
import { listAttempts } from "./deliveries/list-attempts.ts";
import { listDeliveries } from "./deliveries/list-deliveries.ts";
import { retryDelivery } from "./deliveries/retry-delivery.ts";
import { skipDelivery } from "./deliveries/skip-delivery.ts";
import { createEndpoint } from "./endpoints/create-endpoint.ts";
import { deleteEndpoint } from "./endpoints/delete-endpoint.ts";
import { getEndpoint, listEndpoints } from "./endpoints/read-endpoints.ts";
import { rotateSecret } from "./endpoints/rotate-secret.ts";
import { sendTest } from "./endpoints/send-test.ts";
import { updateEndpoint } from "./endpoints/update-endpoint.ts";
import { getEvent } from "./feed/get-event.ts";
import { listEvents } from "./feed/list-events.ts";
import { recentEvents } from "./feed/recent-events.ts";
import { followEvents } from "./feed/follow-events.ts";
import { cancelReplay } from "./replays/cancel-replay.ts";
import { getReplay, listReplays } from "./replays/read-replays.ts";
import { previewReplay, startReplay } from "./replays/start-replay.ts";
import { createLaneHandler } from "./handle-lane.ts";
import { pruneHistory } from "./retention/prune-history.ts";
import { createSequencer } from "./sequencer.ts";

export type { DeliveryDeps } from "./deps.ts";
export type { EventSummary } from "./feed/recent-events.ts";
export { forgetTenantEvents } from "./forget-tenant.ts";
export * from "./sealed-columns.ts";
export { newSigningSecret, signatureHeaders } from "./sign.ts";
export * from "./tables.ts";

export type Delivery = ReturnType<typeof createDelivery>;

/** Events out: positions, the feed, endpoints and deliveries to them. */
export function createDelivery(deps: DeliveryDeps) {
  return {
    sequencer: createSequencer(deps),
    /** For lanes of the kinds `delivery` and `deliveryReplay`. */
    handleLane: createLaneHandler(deps),
    endpoints: {
      create: bind(deps, createEndpoint),
      get: bind(deps, getEndpoint),
      list: bind(deps, listEndpoints),
      update: bind(deps, updateEndpoint),
      delete: bind(deps, deleteEndpoint),
      rotateSecret: bind(deps, rotateSecret),
      sendTest: bind(deps, sendTest),
    },
    pruneHistory: (workspaceId: WorkspaceId) => pruneHistory(deps, workspaceId),
    listAttempts: bind(deps, listAttempts),
    listDeliveries: bind(deps, listDeliveries),
    /** Deliveries that no retry is left for. */
    listDeadLetters: (input: Omit<Parameters<typeof listDeliveries>[1], "status">) =>
      listDeliveries(deps, { ...input, status: "failed" }),
    retryDelivery: bind(deps, retryDelivery),
    skipDelivery: bind(deps, skipDelivery),
    replays: {
      preview: bind(deps, previewReplay),
      start: bind(deps, startReplay),
      get: bind(deps, getReplay),
      list: bind(deps, listReplays),
      cancel: bind(deps, cancelReplay),
    },
    feed: {
      listEvents: bind(deps, listEvents),
      getEvent: bind(deps, getEvent),
      recentEvents: bind(deps, recentEvents),
      followEvents: bind(deps, followEvents),
    },
  };
}

function bind<Deps, Input, Output>(deps: Deps, verb: (deps: Deps, input: Input) => Output): (input: Input) => Output {
  return (input) => verb(deps, input);
}
