import {
  Connection,
  ConnectionCapabilities,
  ConnectionTest,
  ExportConnection,
  ExportedConnection,
  ImportConnection,
  ListConnectionsQuery,
  pageOf,
} from "@patchbay/shared";
import type { Context } from "hono";
import { z } from "zod";
import type { Connect, Who } from "../../../products/connect/index.ts";
import { defineRoute } from "../define-route.ts";
import type { HttpEnv } from "../env.ts";

interface Deps {
  readonly connect: Connect;
}

const PATH = "/v1/connections";
const TAG = "Connections";
const Params = z.strictObject({ id: z.string().max(60) });
const ConnectionPage = pageOf("ConnectionPage", Connection);

const host = (c: Context<HttpEnv>): Who => ({ workspaceId: c.get("caller").workspaceId });

export const connectionRoutes = ({ connect }: Deps) => [
  defineRoute(
    {
      method: "get",
      path: PATH,
      summary: "List connections, newest first",
      tag: TAG,
      scope: "connections:read",
      request: { query: ListConnectionsQuery },
      responses: { 200: ConnectionPage },
    },
    async (c, { query }) => c.json(await connect.listConnections({ ...query, ...host(c) })),
  ),
  defineRoute(
    {
      method: "post",
      path: `${PATH}/import`,
      summary: "Take a connection over from another system, with its credentials, which are proved first",
      tag: TAG,
      scope: "connections:write",
      request: { body: ImportConnection },
      responses: { 201: Connection },
    },
    async (c, { body }) => c.json(await connect.importConnection({ ...host(c), body }), 201),
  ),
  defineRoute(
    {
      method: "post",
      path: `${PATH}/{id}/export`,
      summary: "Get the connection's credentials, encrypted to your public key",
      tag: TAG,
      scope: "credentials:export",
      request: { params: Params, body: ExportConnection },
      responses: { 200: ExportedConnection },
    },
    async (c, { params, body }) => c.json(await connect.exportConnection({ ...host(c), id: params.id, body })),
  ),
  defineRoute(
    {
      method: "get",
      path: `${PATH}/{id}`,
      summary: "Get a connection",
      tag: TAG,
      scope: "connections:read",
      request: { params: Params },
      responses: { 200: Connection },
    },
    async (c, { params }) => c.json(await connect.getConnection(host(c), params.id)),
  ),
  defineRoute(
    {
      method: "delete",
      path: `${PATH}/{id}`,
      summary: "Disconnect: give access back at the provider and stop; records stay",
      tag: TAG,
      scope: "connections:write",
      request: { params: Params },
      responses: { 200: Connection },
    },
    async (c, { params }) => c.json(await connect.disconnect(host(c), params.id)),
  ),
  defineRoute(
    {
      method: "post",
      path: `${PATH}/{id}/pause`,
      summary: "Stop syncing until resumed",
      tag: TAG,
      scope: "connections:write",
      request: { params: Params },
      responses: { 200: Connection },
    },
    async (c, { params }) => c.json(await connect.pause(host(c), params.id)),
  ),
  defineRoute(
    {
      method: "post",
      path: `${PATH}/{id}/resume`,
      summary: "Go on syncing; what was missed is read at once",
      tag: TAG,
      scope: "connections:write",
      request: { params: Params },
      responses: { 200: Connection },
    },
    async (c, { params }) => c.json(await connect.resume(host(c), params.id)),
  ),
  defineRoute(
    {
      method: "post",
      path: `${PATH}/{id}/test`,
      summary: "Ask the provider, now, whether the connection works",
      tag: TAG,
      scope: "connections:read",
      request: { params: Params },
      responses: { 200: ConnectionTest },
    },
    async (c, { params }) => c.json(await connect.test(host(c), params.id)),
  ),
  defineRoute(
    {
      method: "get",
      path: `${PATH}/{id}/capabilities`,
      summary: "What can be read through the connection, model by model, and why the rest cannot",
      tag: TAG,
      scope: "connections:read",
      request: { params: Params },
      responses: { 200: ConnectionCapabilities },
    },
    async (c, { params }) => c.json(await connect.capabilities(host(c), params.id)),
  ),
];
