import {
  Attempt,
  CreateWebhookEndpoint,
  Delivery,
  RotateSecret,
  TestWebhookEndpoint,
  UpdateWebhookEndpoint,
  WebhookEndpoint,
  WebhookEndpointWithSecret,
  pageOf,
  pageQuery,
} from "@patchbay/shared";
import { z } from "zod";
import type { Delivery as DeliveryProduct } from "../../../products/delivery/index.ts";
import { defineRoute } from "../define-route.ts";
import { edgeId } from "./edge-id.ts";

interface Deps {
  readonly delivery: DeliveryProduct;
}

const PATH = "/v1/webhook-endpoints";
const TAG = "Webhook endpoints";
const Params = z.strictObject({ id: z.string().max(60) });
const EndpointPage = pageOf("WebhookEndpointPage", WebhookEndpoint);
const AttemptPage = pageOf("AttemptPage", Attempt);

export const webhookEndpointRoutes = ({ delivery: { endpoints, listAttempts } }: Deps) => [
  defineRoute(
    {
      method: "post",
      path: PATH,
      summary: "Add an endpoint; its signing secret is shown once",
      tag: TAG,
      scope: "endpoints:write",
      request: { body: CreateWebhookEndpoint },
      responses: { 201: WebhookEndpointWithSecret },
    },
    async (c, { body }) => c.json(await endpoints.create({ workspaceId: c.get("caller").workspaceId, body }), 201),
  ),
  defineRoute(
    {
      method: "get",
      path: PATH,
      summary: "List endpoints",
      tag: TAG,
      scope: "endpoints:read",
      request: { query: z.strictObject(pageQuery) },
      responses: { 200: EndpointPage },
    },
    async (c, { query }) => c.json(await endpoints.list({ workspaceId: c.get("caller").workspaceId, ...query })),
  ),
  defineRoute(
    {
      method: "get",
      path: `${PATH}/{id}`,
      summary: "Get an endpoint",
      tag: TAG,
      scope: "endpoints:read",
      request: { params: Params },
      responses: { 200: WebhookEndpoint },
    },
    async (c, { params }) => {
      const endpointId = edgeId("we", params.id, "endpoint_not_found");
      return c.json(await endpoints.get({ workspaceId: c.get("caller").workspaceId, endpointId }));
    },
  ),
  defineRoute(
    {
      method: "patch",
      path: `${PATH}/{id}`,
      summary: "Change an endpoint; enabling it releases what was held",
      tag: TAG,
      scope: "endpoints:write",
      request: { params: Params, body: UpdateWebhookEndpoint },
      responses: { 200: WebhookEndpoint },
    },
    async (c, { params, body }) => {
      const endpointId = edgeId("we", params.id, "endpoint_not_found");
      return c.json(await endpoints.update({ workspaceId: c.get("caller").workspaceId, endpointId, body }));
    },
  ),
  defineRoute(
    {
      method: "delete",
      path: `${PATH}/{id}`,
      summary: "Remove an endpoint and what waits for it",
      tag: TAG,
      scope: "endpoints:write",
      request: { params: Params },
      responses: { 204: null },
    },
    async (c, { params }) => {
      const endpointId = edgeId("we", params.id, "endpoint_not_found");
      await endpoints.delete({ workspaceId: c.get("caller").workspaceId, endpointId });
      return c.body(null, 204);
    },
  ),
  defineRoute(
    {
      method: "post",
      path: `${PATH}/{id}/rotate-secret`,
      summary: "Make a new signing secret; the old one signs too for the time of grace",
      tag: TAG,
      scope: "endpoints:write",
      request: { params: Params, body: RotateSecret },
      responses: { 200: WebhookEndpointWithSecret },
    },
    async (c, { params, body }) => {
      const endpointId = edgeId("we", params.id, "endpoint_not_found");
      const { workspaceId } = c.get("caller");
      return c.json(await endpoints.rotateSecret({ workspaceId, endpointId, graceHours: body.graceHours }));
    },
  ),
  defineRoute(
    {
      method: "post",
      path: `${PATH}/{id}/test`,
      summary: "Send the event endpoint.test to this endpoint alone",
      tag: TAG,
      scope: "endpoints:write",
      request: { params: Params, body: TestWebhookEndpoint, bodyOptional: true },
      responses: { 202: Delivery },
    },
    async (c, { params, body }) => {
      const endpointId = edgeId("we", params.id, "endpoint_not_found");
      const { workspaceId } = c.get("caller");
      return c.json(await endpoints.sendTest({ workspaceId, endpointId, signWith: body.signWith }), 202);
    },
  ),
  defineRoute(
    {
      method: "get",
      path: `${PATH}/{id}/attempts`,
      summary: "List attempts at an endpoint, newest first",
      tag: TAG,
      scope: "endpoints:read",
      request: { params: Params, query: z.strictObject(pageQuery) },
      responses: { 200: AttemptPage },
    },
    async (c, { params, query }) => {
      const endpointId = edgeId("we", params.id, "endpoint_not_found");
      return c.json(await listAttempts({ workspaceId: c.get("caller").workspaceId, endpointId, ...query }));
    },
  ),
];
