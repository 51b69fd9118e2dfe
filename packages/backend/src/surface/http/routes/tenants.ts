import { PutTenant, Tenant, pageOf, pageQuery, tenantId } from "@patchbay/shared";
import { z } from "zod";
import { getTenant, listTenants, putTenant } from "../../../domain/workspaces/index.ts";
import type { WithWorkspace } from "../../../platform/db/index.ts";
import type { Clock } from "../../../platform/runtime/index.ts";
import { defineRoute } from "../define-route.ts";

interface Deps {
  readonly withWorkspace: WithWorkspace;
  readonly clock: Clock;
}

const TenantParams = z.strictObject({ id: tenantId });
const TenantPage = pageOf("TenantPage", Tenant);

export const tenantRoutes = (deps: Deps) => [
  defineRoute(
    {
      method: "put",
      path: "/v1/tenants/{id}",
      summary: "Make a tenant or change it",
      tag: "Tenants",
      scope: "tenants:write",
      request: { params: TenantParams, body: PutTenant },
      responses: { 200: Tenant },
    },
    async (c, { params, body }) => {
      const { workspaceId } = c.get("caller");
      return c.json(await putTenant(deps, { workspaceId, id: params.id, body }));
    },
  ),
  defineRoute(
    {
      method: "get",
      path: "/v1/tenants/{id}",
      summary: "Get a tenant",
      tag: "Tenants",
      scope: "tenants:read",
      request: { params: TenantParams },
      responses: { 200: Tenant },
    },
    async (c, { params }) => {
      const { workspaceId } = c.get("caller");
      return c.json(await getTenant(deps, { workspaceId, id: params.id }));
    },
  ),
  defineRoute(
    {
      method: "get",
      path: "/v1/tenants",
      summary: "List tenants",
      tag: "Tenants",
      scope: "tenants:read",
      request: { query: z.strictObject(pageQuery) },
      responses: { 200: TenantPage },
    },
    async (c, { query }) => {
      const { workspaceId } = c.get("caller");
      return c.json(await listTenants(deps, { workspaceId, ...query }));
    },
  ),
];
