import {
  AnyRecord,
  ExportRecordsQuery,
  ListRecordsQuery,
  MODEL_NAMES,
  PAGE_SIZE_MAX,
  pageOf,
  tenantId,
} from "@patchbay/shared";
import { z } from "zod";
import { getRecord, listRecords, type ListRecordsInput } from "../../../domain/records/index.ts";
import type { Vault } from "../../../domain/vault/index.ts";
import { tenantRef } from "../../../domain/workspaces/index.ts";
import type { WithWorkspace } from "../../../platform/db/index.ts";
import { defineRoute } from "../define-route.ts";
import { streamBody } from "../stream-body.ts";
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
      path: "/v1/tenants/{tenant}/records/{model}/export",
      summary: "All of a tenant's records of a model, one a line, in the order of their last change",
      tag: "Records",
      scope: "records:read",
      audited: true,
      action: "record.export",
      request: { params: z.strictObject({ tenant: tenantId, model }), query: ExportRecordsQuery },
      responses: { 200: { media: "application/x-ndjson", item: AnyRecord } },
    },
    async (c, { params, query }) => {
      const { workspaceId } = c.get("caller");
      const tenant = await deps.withWorkspace(workspaceId, (tx) => tenantRef(tx, { workspaceId, id: params.tenant }));
      const { connectionId, expand, ...filters } = query;
      const input = {
        ...filters,
        workspaceId,
        tenant,
        model: params.model,
        connectionId: connectionId === undefined ? undefined : edgeId("conn", connectionId, "connection_not_found"),
        withRaw: expand === "raw",
        limit: PAGE_SIZE_MAX,
      };
      return streamBody(c, "application/x-ndjson", allRecords(deps, input), () => {});
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

/** Page after page, a page at a time in memory; each chunk is a page's lines. Ends: a cursor only moves on. */
async function* allRecords(deps: Deps, input: ListRecordsInput): AsyncGenerator<string, void> {
  let cursor: string | undefined;
  do {
    const page = await listRecords(deps, { ...input, cursor });
    yield page.data.map((record) => `${JSON.stringify(record)}\n`).join("");
    cursor = page.hasMore ? (page.nextCursor ?? undefined) : undefined;
  } while (cursor !== undefined);
}
