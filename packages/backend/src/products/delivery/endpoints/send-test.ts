import {
  AppError,
  type Delivery,
  type DeliveryId,
  type EndpointId,
  type SignWith,
  type WorkspaceId,
} from "@patchbay/shared";
import { appendEvents } from "../../../domain/events/index.ts";
import { getWorkspace } from "../../../domain/workspaces/index.ts";
import { submit } from "../../../platform/lanes/index.ts";
import { newId } from "../../../platform/runtime/index.ts";
import { NIL_TENANT, type DeliveryDeps } from "../deps.ts";
import { endpointEvent } from "../endpoint-event.ts";
import { deliveries } from "../tables.ts";
import { toApiDelivery } from "../to-api.ts";
import { mustFindEndpoint } from "./read-endpoints.ts";

/**
 * Sends an `endpoint.test` event to this endpoint alone, even while its breaker is open.
 *
 * @param input.signWith `newest`: shows whether the receiver knows the newest secret before the others end

 * @throws AppError `endpoint_not_found`, `conflict` when it is disabled
 */
export async function sendTest(
  deps: Pick<DeliveryDeps, "app" | "vault" | "clock" | "wake">,
  input: {
    readonly workspaceId: WorkspaceId;
    readonly endpointId: EndpointId;
    readonly signWith?: SignWith | undefined;
  },
): Promise<Delivery> {
  const { workspaceId, endpointId, signWith = "all" } = input;
  const tenantUid = NIL_TENANT;
  const { mode } = await getWorkspace(deps.app, workspaceId);
  const sealer = await deps.vault.sealer({ workspaceId, tenantUid, purpose: "payload" });
  const now = deps.clock.now();
  const row = await deps.app.withWorkspace(workspaceId, async (tx) => {
    const endpoint = await mustFindEndpoint(tx, input, "share");
    if (endpoint.status === "disabled") throw new AppError("conflict", "the endpoint is disabled; enable it first");
    const [eventId] = await appendEvents(tx, sealer, [endpointEvent("endpoint.test", endpoint, mode, now)]);
    if (eventId === undefined) throw new Error("the test event was not written");
    const [delivery] = await tx
      .insert(deliveries)
      .values({
        workspaceId,
        id: newId<DeliveryId>(),
        endpointId,
        eventId,
        eventType: "endpoint.test",
        tenantUid,
        status: "pending",
        signWith,
        nextAttemptAt: now,
        createdAt: now,
      })
      .returning();
    if (delivery === undefined) throw new Error("the test delivery was not written");
    await submit(tx, [
      {
        kind: "delivery",
        workspaceId,
        tenantUid,
        laneId: endpointId,
        id: delivery.id,
        task: "deliver",
        runAt: now,
        urgent: true,
      },
    ]);
    return delivery;
  });
  deps.wake.poke("events");
  deps.wake.poke("lanes:delivery");
  return toApiDelivery(row, null);
}
