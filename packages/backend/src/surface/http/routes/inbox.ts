import {
  InboxEntry,
  InboxItem,
  InboxRaw,
  InboxReplay,
  InboxReplayPreview,
  ListInboxQuery,
  ListInboxReplaysQuery,
  ReplayInboxRequest,
  pageOf,
  type InboxFilter,
} from "@patchbay/shared";
import { z } from "zod";
import { instantParam } from "../../../platform/runtime/index.ts";
import type { Ingest } from "../../../products/ingest/index.ts";
import { defineRoute } from "../define-route.ts";
import { edgeId } from "./edge-id.ts";

interface Deps {
  readonly ingest: Ingest;
}

const InboxPage = pageOf("InboxPage", InboxEntry);
const InboxReplayPage = pageOf("InboxReplayPage", InboxReplay);
const Params = z.strictObject({ id: z.string().max(60) });

export const inboxRoutes = ({ ingest }: Deps) => [
  defineRoute(
    {
      method: "get",
      path: "/v1/inbox",
      summary: "List received webhooks, newest first",
      tag: "Inbox",
      scope: "inbox:read",
      request: { query: ListInboxQuery },
      responses: { 200: InboxPage },
    },
    async (c, { query }) => {
      const { workspaceId } = c.get("caller");
      const { limit, cursor } = query;
      return c.json(await ingest.listInbox({ ...selectionOf(query), workspaceId, limit, cursor }));
    },
  ),
  defineRoute(
    {
      method: "post",
      path: "/v1/inbox/replay",
      summary: "Route received webhooks once more, or count what that would be of (dryRun)",
      tag: "Inbox",
      scope: "inbox:write",
      action: "inbox.replay",
      request: { body: ReplayInboxRequest },
      responses: { 200: InboxReplayPreview, 202: InboxReplay },
    },
    async (c, { body }) => {
      const input = {
        ...selectionOf(body),
        ids: body.ids?.map((id) => edgeId("inb", id, "inbox_item_not_found")),
        ratePerSecond: body.ratePerSecond,
        workspaceId: c.get("caller").workspaceId,
      };
      if (body.dryRun === true) return c.json(await ingest.previewReplay(input));
      return c.json(await ingest.startReplay(input), 202);
    },
  ),
  // Before the route that takes any id.
  defineRoute(
    {
      method: "get",
      path: "/v1/inbox/replays",
      summary: "List replays of the inbox, newest first",
      tag: "Inbox",
      scope: "inbox:read",
      request: { query: ListInboxReplaysQuery },
      responses: { 200: InboxReplayPage },
    },
    async (c, { query }) => c.json(await ingest.listReplays({ ...query, workspaceId: c.get("caller").workspaceId })),
  ),
  defineRoute(
    {
      method: "get",
      path: "/v1/inbox/replays/{id}",
      summary: "Get a replay and how far it got",
      tag: "Inbox",
      scope: "inbox:read",
      request: { params: Params },
      responses: { 200: InboxReplay },
    },
    async (c, { params }) => {
      const replayId = edgeId("irp", params.id, "inbox_replay_not_found");
      return c.json(await ingest.getReplay({ workspaceId: c.get("caller").workspaceId, replayId }));
    },
  ),
  defineRoute(
    {
      method: "post",
      path: "/v1/inbox/replays/{id}/cancel",
      summary: "End a replay; what it routed stays routed",
      tag: "Inbox",
      scope: "inbox:write",
      action: "inbox_replay.cancel",
      request: { params: Params },
      responses: { 200: InboxReplay },
    },
    async (c, { params }) => {
      const replayId = edgeId("irp", params.id, "inbox_replay_not_found");
      return c.json(await ingest.cancelReplay({ workspaceId: c.get("caller").workspaceId, replayId }));
    },
  ),
  defineRoute(
    {
      method: "get",
      path: "/v1/inbox/{id}",
      summary: "Get a received webhook and what became of it",
      tag: "Inbox",
      scope: "inbox:read",
      request: { params: Params },
      responses: { 200: InboxItem },
    },
    async (c, { params }) => {
      const inboxId = edgeId("inb", params.id, "inbox_item_not_found");
      return c.json(await ingest.getInboxItem({ workspaceId: c.get("caller").workspaceId, inboxId }));
    },
  ),
  defineRoute(
    {
      method: "get",
      path: "/v1/inbox/{id}/raw",
      summary: "Get a received webhook as it was sent",
      tag: "Inbox",
      scope: "inbox:raw",
      audited: true,
      request: { params: Params },
      responses: { 200: InboxRaw },
    },
    async (c, { params }) => {
      const inboxId = edgeId("inb", params.id, "inbox_item_not_found");
      return c.json(await ingest.getInboxRaw({ workspaceId: c.get("caller").workspaceId, inboxId }));
    },
  ),
];

function selectionOf({ provider, sourceId, connectionId, status, since, until }: InboxFilter) {
  return {
    provider,
    status,
    sourceId: sourceId === undefined ? undefined : edgeId("src", sourceId, "not_found"),
    connectionId: connectionId === undefined ? undefined : edgeId("conn", connectionId, "connection_not_found"),
    since: since === undefined ? undefined : instantParam(since),
    until: until === undefined ? undefined : instantParam(until),
  };
}
