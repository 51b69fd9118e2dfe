import {
  EVENT_CATALOGUE,
  EVENT_TYPES,
  EventTypeList,
  type EventType,
  type EventTypeInfo,
  ListEventsQuery,
  PatchbayEvent,
  pageOf,
} from "@patchbay/shared";
import { z } from "zod";
import type { Delivery } from "../../../products/delivery/index.ts";
import { defineRoute } from "../define-route.ts";
import { edgeId } from "./edge-id.ts";

interface Deps {
  readonly delivery: Delivery;
}

const EventPage = pageOf("EventPage", PatchbayEvent);

export const eventRoutes = ({ delivery: { feed } }: Deps) => {
  const catalogue = { data: EVENT_TYPES.map(describeType) };
  return [
    defineRoute(
      {
        method: "get",
        path: "/v1/events",
        summary: "The feed: every event in order, oldest first; go on from nextCursor",
        tag: "Events",
        scope: "events:read",
        request: { query: ListEventsQuery },
        responses: { 200: EventPage },
      },
      async (c, { query }) => c.json(await feed.listEvents({ workspaceId: c.get("caller").workspaceId, ...query })),
    ),
    defineRoute(
      {
        method: "get",
        path: "/v1/event-types",
        summary: "The catalogue: every type of event with its JSON Schema and an example",
        tag: "Events",
        scope: "events:read",
        request: {},
        responses: { 200: EventTypeList },
      },
      async (c) => c.json(catalogue),
    ),
    defineRoute(
      {
        method: "get",
        path: "/v1/events/{id}",
        summary: "Get an event",
        tag: "Events",
        scope: "events:read",
        request: { params: z.strictObject({ id: z.string().max(60) }) },
        responses: { 200: PatchbayEvent },
      },
      async (c, { params }) => {
        const eventId = edgeId("evt", params.id, "event_not_found");
        return c.json(await feed.getEvent({ workspaceId: c.get("caller").workspaceId, eventId }));
      },
    ),
  ];
};

function describeType(type: EventType): EventTypeInfo {
  const { summary, schema, example } = EVENT_CATALOGUE[type];
  return { type, summary, schema: z.toJSONSchema(schema), example };
}
