import { Erasure, ListErasuresQuery, pageOf, tenantId } from "@patchbay/shared";
import { z } from "zod";
import type { Erasures } from "../../../products/erasure/index.ts";
import { defineRoute } from "../define-route.ts";
import { edgeId } from "./edge-id.ts";

interface Deps {
  readonly erasures: Erasures;
}

const ErasurePage = pageOf("ErasurePage", Erasure);

export const erasureRoutes = ({ erasures }: Deps) => [
  defineRoute(
    {
      method: "delete",
      path: "/v1/tenants/{id}",
      summary: "Erase a tenant",
      tag: "Tenants",
      scope: "tenants:erase",
      request: { params: z.strictObject({ id: tenantId }) },
      responses: { 202: Erasure },
    },
    async (c, { params }) => {
      const { workspaceId } = c.get("caller");
      return c.json(await erasures.eraseTenant({ workspaceId, id: params.id }), 202);
    },
  ),
  defineRoute(
    {
      method: "get",
      path: "/v1/erasures",
      summary: "List erasures, newest first",
      tag: "Tenants",
      scope: "tenants:read",
      request: { query: ListErasuresQuery },
      responses: { 200: ErasurePage },
    },
    async (c, { query }) => {
      const { workspaceId } = c.get("caller");
      return c.json(await erasures.list({ workspaceId, ...query }));
    },
  ),
  defineRoute(
    {
      method: "get",
      path: "/v1/erasures/{id}",
      summary: "Get an erasure: its progress, then its receipt",
      tag: "Tenants",
      scope: "tenants:read",
      request: { params: z.strictObject({ id: z.string().max(60) }) },
      responses: { 200: Erasure },
    },
    async (c, { params }) => {
      const erasureId = edgeId("era", params.id, "erasure_not_found");
      return c.json(await erasures.get({ workspaceId: c.get("caller").workspaceId, erasureId }));
    },
  ),
];
