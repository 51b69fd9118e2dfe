import type { EventType } from "@patchbay/shared";
import type { NewEvent } from "../../domain/events/index.ts";
import { NIL_TENANT } from "./deps.ts";
import { toSnapshot } from "./to-api.ts";
import type { EndpointRow } from "./find-endpoints.ts";

/** The event by which the host is told of a change of an endpoint: it concerns the workspace, no tenant. */
export function endpointEvent(
  type: Extract<EventType, `endpoint.${string}`>,
  endpoint: EndpointRow,
  mode: "live" | "test",
  occurredAt: Date,
): NewEvent {
  return {
    workspaceId: endpoint.workspaceId,
    tenantUid: NIL_TENANT,
    tenantExternalId: null,
    connection: null,
    type,
    mode,
    occurredAt,
    data: { endpoint: toSnapshot(endpoint) },
  };
}
