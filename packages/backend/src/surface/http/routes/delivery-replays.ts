import {
  DeliveryReplay,
  DeliveryReplayPreview,
  ListDeliveryReplaysQuery,
  ReplayDeliveriesRequest,
  pageOf,
} from "@patchbay/shared";
import { z } from "zod";
import { instantParam } from "../../../platform/runtime/index.ts";
import type { Delivery as DeliveryProduct } from "../../../products/delivery/index.ts";
import { defineRoute } from "../define-route.ts";
import { edgeId } from "./edge-id.ts";

interface Deps {
  readonly delivery: DeliveryProduct;
}

const TAG = "Deliveries";
const Params = z.strictObject({ id: z.string().max(60) });
const DeliveryReplayPage = pageOf("DeliveryReplayPage", DeliveryReplay);

export const deliveryReplayRoutes = ({ delivery: { replays } }: Deps) => [
  defineRoute(
    {
      method: "post",
      path: "/v1/webhook-endpoints/{id}/replay",
      summary: "Send events again to an endpoint, or count what that would be of (dryRun)",
      tag: TAG,
      scope: "endpoints:write",
      request: { params: Params, body: ReplayDeliveriesRequest },
      responses: { 200: DeliveryReplayPreview, 202: DeliveryReplay },
    },
    async (c, { params, body }) => {
      const { type, tenantId, since, until, only, ratePerSecond } = body;
      const input = {
        workspaceId: c.get("caller").workspaceId,
        endpointId: edgeId("we", params.id, "endpoint_not_found"),
        eventIds: body.eventIds?.map((id) => edgeId("evt", id, "event_not_found")),
        type,
        tenantId,
        since: since === undefined ? undefined : instantParam(since),
        until: until === undefined ? undefined : instantParam(until),
        only,
        ratePerSecond,
      };
      if (body.dryRun === true) return c.json(await replays.preview(input));
      return c.json(await replays.start(input), 202);
    },
  ),
  defineRoute(
    {
      method: "get",
      path: "/v1/delivery-replays",
      summary: "List replays of deliveries, newest first",
      tag: TAG,
      scope: "endpoints:read",
      request: { query: ListDeliveryReplaysQuery },
      responses: { 200: DeliveryReplayPage },
    },
    async (c, { query }) => {
      const endpointId =
        query.endpointId === undefined ? undefined : edgeId("we", query.endpointId, "endpoint_not_found");
      return c.json(await replays.list({ ...query, endpointId, workspaceId: c.get("caller").workspaceId }));
    },
  ),
  defineRoute(
    {
      method: "get",
      path: "/v1/delivery-replays/{id}",
      summary: "Get a replay and how far it got",
      tag: TAG,
      scope: "endpoints:read",
      request: { params: Params },
      responses: { 200: DeliveryReplay },
    },
    async (c, { params }) => {
      const replayId = edgeId("drp", params.id, "delivery_replay_not_found");
      return c.json(await replays.get({ workspaceId: c.get("caller").workspaceId, replayId }));
    },
  ),
  defineRoute(
    {
      method: "post",
      path: "/v1/delivery-replays/{id}/cancel",
      summary: "End a replay; what it put on its way still goes out",
      tag: TAG,
      scope: "endpoints:write",
      request: { params: Params },
      responses: { 200: DeliveryReplay },
    },
    async (c, { params }) => {
      const replayId = edgeId("drp", params.id, "delivery_replay_not_found");
      return c.json(await replays.cancel({ workspaceId: c.get("caller").workspaceId, replayId }));
    },
  ),
];
