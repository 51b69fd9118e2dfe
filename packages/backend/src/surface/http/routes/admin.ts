import { CreateWorkspace, Workspace } from "@patchbay/shared";
import { z } from "zod";
import type { Audit } from "../../../domain/audit/index.ts";
import { getWorkspace, listWorkspaceIds, openWorkspace, toWorkspace } from "../../../domain/workspaces/index.ts";
import type { WithQueue, WithWorkspace } from "../../../platform/db/index.ts";
import type { Clock } from "../../../platform/runtime/index.ts";
import { defineRoute } from "../define-route.ts";

interface Deps {
  readonly withWorkspace: WithWorkspace;
  readonly clock: Clock;
  readonly audit: Audit;
  readonly withQueueAsWorker: WithQueue;
}

export const adminRoutes = (deps: Deps) => [
  defineRoute(
    {
      method: "post",
      path: "/admin/v1/workspaces",
      summary: "Make a workspace",
      tag: "Operator",
      scope: null,
      audited: "byHandler",
      request: { body: CreateWorkspace },
      responses: { 201: Workspace },
    },
    async (c, { body }) => {
      const request = { requestId: c.get("requestId"), clientAddress: c.get("clientAddress") };
      return c.json(await openWorkspace(deps, body, request), 201);
    },
  ),
  defineRoute(
    {
      method: "get",
      path: "/admin/v1/workspaces",
      summary: "List workspaces",
      tag: "Operator",
      scope: null,
      request: {},
      responses: { 200: z.strictObject({ data: z.array(Workspace) }) },
    },
    async (c) => {
      const ids = await listWorkspaceIds(deps.withQueueAsWorker);
      const data = [];
      for (const id of ids) data.push(toWorkspace(await getWorkspace(deps, id)));
      return c.json({ data });
    },
  ),
];
