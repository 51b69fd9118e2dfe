import { AnyRecord, ListRecordsQuery, MODEL_NAMES, pageOf, tenantId } from "@patchbay/shared";
import { z } from "zod";
import { getRecord, listRecords } from "../../../domain/records/index.ts";
import type { Vault } from "../../../domain/vault/index.ts";
import { tenantRef } from "../../../domain/workspaces/index.ts";
import type { WithWorkspace } from "../../../platform/db/index.ts";
import { defineRoute } from "../define-route.ts";
import { edgeId } from "./edge-id.ts";

interface Deps {
  readonly withWorkspace: WithWorkspace;
  readonly vault: Vault;
}

const model = z.enum(MODEL_NAMES, `a model: ${MODEL_NAMES.join(", ")}`);
const RecordPage = pageOf("RecordPage", AnyRecord);

export const recordRoutes = (deps: Deps) => [
  defineRoute(
    {
      method: "get",
      path: "/v1/tenants/{tenant}/records/{model}",
      summary: "List a tenant's records in the order of their last change",
      tag: "Records",
      scope: "records:read",
      request: { params: z.strictObject({ tenant: tenantId, model }), query: ListRecordsQuery },
      responses: { 200: RecordPage },
    },
    async (c, { params, query }) => {
      const { workspaceId } = c.get("caller");
      const tenant = await deps.withWorkspace(workspaceId, (tx) => tenantRef(tx, { workspaceId, id: params.tenant }));
      const { connectionId, expand, ...filters } = query;
      return c.json(
        await listRecords(deps, {
          ...filters,
          workspaceId,
          tenant,
          model: params.model,
          connectionId: connectionId === undefined ? undefined : edgeId("conn", connectionId, "connection_not_found"),
          withRaw: expand === "raw",
        }),
      );
    },
  ),
  defineRoute(
    {
      method: "get",
      path: "/v1/tenants/{tenant}/records/{model}/{id}",
      summary: "Get a record by its id, or by provider:remoteId",
      tag: "Records",
      scope: "records:read",
      request: {
        params: z.strictObject({ tenant: tenantId, model, id: z.string().max(200) }),
        query: z.strictObject({ expand: z.literal("raw").optional() }),
      },
      responses: { 200: AnyRecord },
    },
    async (c, { params, query }) => {
      const { workspaceId } = c.get("caller");
      const tenant = await deps.withWorkspace(workspaceId, (tx) => tenantRef(tx, { workspaceId, id: params.tenant }));
      return c.json(
        await getRecord(deps, {
          workspaceId,
          tenant,
          model: params.model,
          id: params.id,
          withRaw: query.expand === "raw",
        }),
      );
    },
  ),
];
