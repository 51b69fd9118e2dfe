import { InboxEntry, ListInboxQuery, pageOf } from "@patchbay/shared";
import { z } from "zod";
import type { Ingest } from "../../../products/ingest/index.ts";
import { defineRoute } from "../define-route.ts";
import { edgeId } from "./edge-id.ts";

interface Deps {
  readonly ingest: Ingest;
}

const InboxPage = pageOf("InboxPage", InboxEntry);

/** One received webhook with what it said. */
const InboxItem = z
  .strictObject({
    entry: InboxEntry,
    headers: z.record(z.string(), z.string()),
    /** The raw bytes, base64. */
    body: z.string(),
  })
  .meta({ id: "InboxItem" });

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
    async (c, { query }) => c.json(await ingest.listInbox({ ...query, workspaceId: c.get("caller").workspaceId })),
  ),
  defineRoute(
    {
      method: "get",
      path: "/v1/inbox/{id}",
      summary: "Get a received webhook with its raw body",
      tag: "Inbox",
      scope: "inbox:read",
      audited: true,
      request: { params: z.strictObject({ id: z.string().max(60) }) },
      responses: { 200: InboxItem },
    },
    async (c, { params }) => {
      const inboxId = edgeId("inb", params.id, "inbox_item_not_found");
      const item = await ingest.getInboxItem({ workspaceId: c.get("caller").workspaceId, inboxId });
      return c.json({ entry: item.entry, headers: item.headers, body: Buffer.from(item.rawBody).toString("base64") });
    },
  ),
];
