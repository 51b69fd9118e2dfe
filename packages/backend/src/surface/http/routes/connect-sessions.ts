import { ConnectSession, CreateConnectSession, CreateReauthorizeSession } from "@patchbay/shared";
import type { Connect } from "../../../products/connect/index.ts";
import { defineRoute } from "../define-route.ts";

interface Deps {
  readonly connect: Connect;
}

export const connectSessionRoutes = ({ connect }: Deps) => [
  defineRoute(
    {
      method: "post",
      path: "/v1/connect-sessions",
      summary: "Let one browser act for a tenant in the widget, for at most 15 minutes",
      tag: "Connect sessions",
      scope: "connections:write",
      request: { body: CreateConnectSession },
      responses: { 201: ConnectSession },
    },
    async (c, { body }) => c.json(await connect.createSession({ workspaceId: c.get("caller").workspaceId, body }), 201),
  ),
  defineRoute(
    {
      method: "post",
      path: "/v1/connect-sessions/reauthorize",
      summary: "Let one browser repair one connection and do nothing else",
      tag: "Connect sessions",
      scope: "connections:write",
      request: { body: CreateReauthorizeSession },
      responses: { 201: ConnectSession },
    },
    async (c, { body }) =>
      c.json(await connect.createReauthorizeSession({ workspaceId: c.get("caller").workspaceId, body }), 201),
  ),
];
