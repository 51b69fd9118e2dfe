import {
  AppError,
  AuditCheckpoint,
  AuditEntry,
  ExportAuditQuery,
  ListAuditQuery,
  decodeId,
  pageOf,
  pageQuery,
  type TenantUid,
  type WorkspaceId,
} from "@patchbay/shared";
import { z } from "zod";
import { listAudit, listCheckpoints, readLog, type Audit } from "../../../domain/audit/index.ts";
import { tenantRef } from "../../../domain/workspaces/index.ts";
import type { WithWorkspace } from "../../../platform/db/index.ts";
import { defineRoute } from "../define-route.ts";
import { streamBody } from "../stream-body.ts";

interface Deps {
  readonly withWorkspace: WithWorkspace;
  readonly audit: Pick<Audit, "person">;
}

const TAG = "Audit log";
const AuditEntryPage = pageOf("AuditEntryPage", AuditEntry);
const AuditCheckpointPage = pageOf("AuditCheckpointPage", AuditCheckpoint);

export const auditRoutes = (deps: Deps) => [
  defineRoute(
    {
      method: "get",
      path: "/v1/audit",
      summary: "List what was done in the workspace, newest first",
      tag: TAG,
      scope: "audit:read",
      request: { query: ListAuditQuery },
      responses: { 200: AuditEntryPage },
    },
    async (c, { query }) => {
      const { workspaceId } = c.get("caller");
      const { tenantId, tenantRef: reference, endUserId, ...filter } = query;
      const tenantUid = await tenantUidOf(deps, workspaceId, tenantId, reference);
      const actorId =
        endUserId === undefined ? filter.actorId : await personOf(deps, workspaceId, tenantUid, endUserId);
      return c.json(await listAudit(deps, { ...filter, actorId, tenantUid, workspaceId }));
    },
  ),
  defineRoute(
    {
      method: "get",
      path: "/v1/audit/export",
      summary: "All entries, one a line, oldest first, as they are hashed",
      tag: TAG,
      scope: "audit:read",
      audited: true,
      action: "audit.export",
      request: { query: ExportAuditQuery },
      responses: { 200: { media: "application/x-ndjson", item: AuditEntry } },
    },
    async (c, { query }) => {
      const { workspaceId } = c.get("caller");
      return streamBody(c, "application/x-ndjson", linesOf(deps, workspaceId, query.afterSequence), () => {});
    },
  ),
  defineRoute(
    {
      method: "get",
      path: "/v1/audit/checkpoints",
      summary: "List signed statements of how the log stood, newest first",
      tag: TAG,
      scope: "audit:read",
      request: { query: z.strictObject(pageQuery) },
      responses: { 200: AuditCheckpointPage },
    },
    async (c, { query }) => c.json(await listCheckpoints(deps, { ...query, workspaceId: c.get("caller").workspaceId })),
  ),
];

async function* linesOf(deps: Deps, workspaceId: WorkspaceId, after: number): AsyncGenerator<string, void> {
  for await (const { line } of readLog(deps, workspaceId, { after })) yield line;
}

async function tenantUidOf(
  deps: Deps,
  workspaceId: WorkspaceId,
  tenantId: string | undefined,
  reference: string | undefined,
): Promise<TenantUid | undefined> {
  if (tenantId !== undefined) {
    return (await deps.withWorkspace(workspaceId, (tx) => tenantRef(tx, { workspaceId, id: tenantId }))).uid;
  }
  if (reference === undefined) return undefined;
  const uid = decodeId("ten", reference);
  if (uid === null) throw new AppError("invalid_request", "query.tenantRef: not a reference of a tenant, ten_…");
  return uid;
}

async function personOf(
  deps: Deps,
  workspaceId: WorkspaceId,
  tenantUid: TenantUid | undefined,
  endUserId: string,
): Promise<string> {
  if (tenantUid === undefined) throw new AppError("invalid_request", "query.endUserId: say the tenantId, too");
  return deps.audit.person({ workspaceId, tenantUid, endUserId });
}
