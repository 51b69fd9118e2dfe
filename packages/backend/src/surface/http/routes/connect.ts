import {
  Authorization,
  CompleteAuthorization,
  ConnectSessionToken,
  Connection,
  ResolveParameters,
  StartAuthorization,
  StartedAuthorization,
  TriggeredRun,
  encodeId,
} from "@patchbay/shared";
import type { Context, Hono } from "hono";
import { z } from "zod";
import type { Connect, Who } from "../../../products/connect/index.ts";
import type { Ingest } from "../../../products/ingest/index.ts";
import { defineRoute } from "../define-route.ts";
import type { HttpEnv } from "../env.ts";
import { bodyGuard } from "../middleware/body-guard.ts";
import { jsonOrNull } from "../../../platform/runtime/index.ts";

interface Deps {
  readonly connect: Connect;
  readonly ingest: Ingest;
}

const TAG = "Widget";
const Params = z.strictObject({ id: z.string().max(60) });

/**
 * `POST /connect/v1/session`: all that a first paint needs. The token travels in a `text/plain` body, so that browsers
 * send no preflight: one round trip less before the widget shows anything.
 */
export function mountBootstrap(app: Hono<HttpEnv>, { connect }: Pick<Deps, "connect">): void {
  app.post("/connect/v1/session", bodyGuard, async (c) => {
    const parsed = ConnectSessionToken.safeParse(jsonOrNull(await c.req.text()));
    const token = parsed.success ? parsed.data.token : "";
    const session = await connect.authenticateSession(token, c.req.header("origin") ?? null);
    return c.json(await connect.bootstrap(session));
  });
}

export const connectRoutes = ({ connect, ingest }: Deps) => [
  defineRoute(
    {
      method: "post",
      path: "/connect/v1/providers/{id}/resolve",
      summary: "Bring what a person typed into its canonical form and see whether the account exists",
      tag: TAG,
      scope: null,
      audited: false,
      request: { params: Params, body: ResolveParameters },
      responses: { 200: ResolveParameters },
    },
    async (c, { params, body }) =>
      c.json(await connect.resolveParameters(c.get("session"), params.id, body.parameters)),
  ),
  defineRoute(
    {
      method: "post",
      path: "/connect/v1/authorizations",
      summary: "Begin to connect or repair",
      tag: TAG,
      scope: null,
      request: { body: StartAuthorization },
      responses: { 201: StartedAuthorization },
    },
    async (c, { body }) => c.json(await connect.startAuthorization(c.get("session"), body), 201),
  ),
  defineRoute(
    {
      method: "get",
      path: "/connect/v1/authorizations/{id}",
      summary: "See how far an authorization is",
      tag: TAG,
      scope: null,
      request: { params: Params },
      responses: { 200: Authorization },
    },
    async (c, { params }) => c.json(await connect.getAuthorization(c.get("session"), params.id)),
  ),
  defineRoute(
    {
      method: "post",
      path: "/connect/v1/authorizations/{id}/complete",
      summary: "Prove that this browser started it",
      tag: TAG,
      scope: null,
      request: { params: Params, body: CompleteAuthorization },
      responses: { 200: Authorization },
    },
    async (c, { params, body }) => c.json(await connect.completeAuthorization(c.get("session"), params.id, body)),
  ),
  defineRoute(
    {
      method: "delete",
      path: "/connect/v1/authorizations/{id}",
      summary: "Give up",
      tag: TAG,
      scope: null,
      request: { params: Params },
      responses: { 204: null },
    },
    async (c, { params }) => {
      await connect.cancelAuthorization(c.get("session"), params.id);
      return c.body(null, 204);
    },
  ),
  ...managementRoutes({ connect, ingest }),
];

const managementRoutes = ({ connect, ingest }: Deps) => [
  defineRoute(
    {
      method: "get",
      path: "/connect/v1/connections/{id}",
      summary: "Get a connection of the session's tenant",
      tag: TAG,
      scope: null,
      request: { params: Params },
      responses: { 200: Connection },
    },
    async (c, { params }) => c.json(await connect.getConnection(endUser(c), params.id)),
  ),
  defineRoute(
    {
      method: "post",
      path: "/connect/v1/connections/{id}/pause",
      summary: "Stop syncing until resumed",
      tag: TAG,
      scope: null,
      request: { params: Params },
      responses: { 200: Connection },
    },
    async (c, { params }) => c.json(await connect.pause(endUser(c), params.id)),
  ),
  defineRoute(
    {
      method: "post",
      path: "/connect/v1/connections/{id}/resume",
      summary: "Go on syncing",
      tag: TAG,
      scope: null,
      request: { params: Params },
      responses: { 200: Connection },
    },
    async (c, { params }) => c.json(await connect.resume(endUser(c), params.id)),
  ),
  defineRoute(
    {
      method: "post",
      path: "/connect/v1/connections/{id}/runs",
      summary: "Sync now",
      tag: TAG,
      scope: null,
      request: { params: Params },
      responses: { 202: TriggeredRun },
    },
    async (c, { params }) => {
      const row = await connect.findConnection(endUser(c), params.id, "sync");
      const { workspaceId, tenantUid } = c.get("session");
      const run = await ingest.triggerRun({
        workspaceId,
        tenantUid,
        connectionId: row.id,
        kind: "manual",
        mode: "incremental",
      });
      return c.json({ runId: encodeId("run", run.runId), alreadyQueued: run.alreadyQueued }, 202);
    },
  ),
  defineRoute(
    {
      method: "delete",
      path: "/connect/v1/connections/{id}",
      summary: "Disconnect",
      tag: TAG,
      scope: null,
      request: { params: Params },
      responses: { 204: null },
    },
    async (c, { params }) => {
      await connect.disconnect(endUser(c), params.id);
      return c.body(null, 204);
    },
  ),
];

function endUser(c: Context<HttpEnv>): Who {
  const session = c.get("session");
  return { workspaceId: session.workspaceId, session };
}
