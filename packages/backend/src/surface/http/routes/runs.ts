import { ListRunsQuery, Run, TriggerRun, TriggeredRun, encodeId, pageOf } from "@patchbay/shared";
import { z } from "zod";
import type { Ingest } from "../../../products/ingest/index.ts";
import { defineRoute } from "../define-route.ts";
import { edgeId } from "./edge-id.ts";

interface Deps {
  readonly ingest: Ingest;
}

const Params = z.strictObject({ id: z.string().max(60) });
const RunPage = pageOf("RunPage", Run);

export const runRoutes = ({ ingest }: Deps) => [
  defineRoute(
    {
      method: "post",
      path: "/v1/connections/{id}/runs",
      summary: "Start a sync; while one is open, its id is the answer",
      tag: "Runs",
      scope: "runs:write",
      request: { params: Params, body: TriggerRun },
      responses: { 202: TriggeredRun },
    },
    async (c, { params, body }) => {
      const connectionId = edgeId("conn", params.id, "connection_not_found");
      const { workspaceId } = c.get("caller");
      const run = await ingest.triggerRun({
        workspaceId,
        connectionId,
        kind: "manual",
        mode: body.mode ?? "incremental",
        ...(body.models === undefined ? {} : { models: body.models }),
      });
      return c.json({ runId: encodeId("run", run.runId), alreadyQueued: run.alreadyQueued }, 202);
    },
  ),
  defineRoute(
    {
      method: "get",
      path: "/v1/runs",
      summary: "List runs, newest first",
      tag: "Runs",
      scope: "runs:read",
      request: { query: ListRunsQuery },
      responses: { 200: RunPage },
    },
    async (c, { query }) => {
      const connectionId =
        query.connectionId === undefined ? undefined : edgeId("conn", query.connectionId, "connection_not_found");
      return c.json(await ingest.listRuns({ ...query, connectionId, workspaceId: c.get("caller").workspaceId }));
    },
  ),
  defineRoute(
    {
      method: "get",
      path: "/v1/runs/{id}",
      summary: "Get a run",
      tag: "Runs",
      scope: "runs:read",
      request: { params: Params },
      responses: { 200: Run },
    },
    async (c, { params }) => {
      const runId = edgeId("run", params.id, "run_not_found");
      return c.json(await ingest.getRun({ workspaceId: c.get("caller").workspaceId, runId }));
    },
  ),
  defineRoute(
    {
      method: "post",
      path: "/v1/runs/{id}/cancel",
      summary: "Stop a run after its current page",
      tag: "Runs",
      scope: "runs:write",
      request: { params: Params },
      responses: { 200: Run },
    },
    async (c, { params }) => {
      const runId = edgeId("run", params.id, "run_not_found");
      return c.json(await ingest.cancelRun({ workspaceId: c.get("caller").workspaceId, runId }));
    },
  ),
];
