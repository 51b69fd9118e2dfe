import { Delivery, ListDeliveriesQuery, pageOf } from "@patchbay/shared";
import { z } from "zod";
import type { Delivery as DeliveryProduct } from "../../../products/delivery/index.ts";
import { defineRoute } from "../define-route.ts";
import { edgeId } from "./edge-id.ts";

interface Deps {
  readonly delivery: DeliveryProduct;
}

const DeliveryPage = pageOf("DeliveryPage", Delivery);
const DeadLettersQuery = ListDeliveriesQuery.omit({ status: true });

export const deliveryRoutes = ({ delivery }: Deps) => [
  defineRoute(
    {
      method: "get",
      path: "/v1/deliveries",
      summary: "List deliveries, newest first",
      tag: "Deliveries",
      scope: "endpoints:read",
      request: { query: ListDeliveriesQuery },
      responses: { 200: DeliveryPage },
    },
    async (c, { query }) => {
      const endpointId = optionalEndpoint(query.endpointId);
      return c.json(await delivery.listDeliveries({ ...query, endpointId, workspaceId: c.get("caller").workspaceId }));
    },
  ),
  defineRoute(
    {
      method: "post",
      path: "/v1/deliveries/{id}/retry",
      summary: "Try a delivery again now",
      tag: "Deliveries",
      scope: "endpoints:write",
      request: { params: z.strictObject({ id: z.string().max(60) }) },
      responses: { 200: Delivery },
    },
    async (c, { params }) => {
      const deliveryId = edgeId("dlv", params.id, "delivery_not_found");
      return c.json(await delivery.retryDelivery({ workspaceId: c.get("caller").workspaceId, deliveryId }));
    },
  ),
  defineRoute(
    {
      method: "post",
      path: "/v1/deliveries/{id}/skip",
      summary: "Give up a dead letter; where order is kept, later events of its record go on",
      tag: "Deliveries",
      scope: "endpoints:write",
      request: { params: z.strictObject({ id: z.string().max(60) }) },
      responses: { 200: Delivery },
    },
    async (c, { params }) => {
      const deliveryId = edgeId("dlv", params.id, "delivery_not_found");
      return c.json(await delivery.skipDelivery({ workspaceId: c.get("caller").workspaceId, deliveryId }));
    },
  ),
  defineRoute(
    {
      method: "get",
      path: "/v1/dead-letters",
      summary: "List deliveries that no retry is left for",
      tag: "Deliveries",
      scope: "endpoints:read",
      request: { query: DeadLettersQuery },
      responses: { 200: DeliveryPage },
    },
    async (c, { query }) => {
      const endpointId = optionalEndpoint(query.endpointId);
      return c.json(await delivery.listDeadLetters({ ...query, endpointId, workspaceId: c.get("caller").workspaceId }));
    },
  ),
];

function optionalEndpoint(text: string | undefined) {
  return text === undefined ? undefined : edgeId("we", text, "endpoint_not_found");
}
