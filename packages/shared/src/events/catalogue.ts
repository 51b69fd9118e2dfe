import { z } from "zod";
import type { ModelName } from "../models/names.ts";
import { RECORD_CHANGES } from "./data.ts";
import type { EventOf } from "./envelope.ts";
import { exampleChange, exampleConnection } from "./examples.ts";
import { OPERATIONAL_TOLD, type Told } from "./operational.ts";
import {
  EVENT_TYPES,
  type EventType,
  type OperationalEventType,
  type RECORD_VERBS,
  type RecordEventType,
} from "./types.ts";

/** What there is to know about one type of event. */
export interface EventTypeEntry<T extends EventType = EventType> {
  /** When it is sent, in one sentence. */
  readonly summary: string;
  /** Of the whole event. */
  readonly schema: z.ZodType<EventOf<T>>;
  readonly example: EventOf<T>;
}

/** Every type of event: when it is sent, what it holds, and how it looks. */
export const EVENT_CATALOGUE = Object.fromEntries(EVENT_TYPES.map((type) => [type, entryOf(type)])) as {
  readonly [T in EventType]: EventTypeEntry<T>;
};

/**
 * One thing the host is told, in the feed and in deliveries alike: `switch (event.type)` tells what `event.data` holds.
 *
 * `id` is constant over retries and replays: a receiver that drops ids it has seen acts once. Keep a `default` branch:
 * a newer Patchbay may send types that this version does not know.
 */
export type PatchbayEvent = { [T in EventType]: EventOf<T> }[EventType];
export const PatchbayEvent: z.ZodType<PatchbayEvent> = z
  .union(EVENT_TYPES.map((type) => EVENT_CATALOGUE[type].schema))
  .meta({ id: "Event" });

/** One type of the catalogue, as `GET /v1/event-types` tells it. */
export interface EventTypeInfo {
  readonly type: string;
  /** When it is sent. */
  readonly summary: string;
  /** JSON Schema 2020-12 of the event; it refers to nothing outside itself. */
  readonly schema: Readonly<Record<string, unknown>>;
  readonly example: PatchbayEvent;
}
export const EventTypeInfo: z.ZodType<EventTypeInfo> = z
  .strictObject({
    type: z.string(),
    summary: z.string(),
    schema: z.record(z.string(), z.unknown()),
    example: PatchbayEvent,
  })
  .meta({ id: "EventTypeInfo" });

/** `GET /v1/event-types`: the whole catalogue. */
export interface EventTypeList {
  readonly data: readonly EventTypeInfo[];
}
export const EventTypeList: z.ZodType<EventTypeList> = z
  .strictObject({ data: z.array(EventTypeInfo) })
  .meta({ id: "EventTypeList" });

function entryOf(type: EventType): EventTypeEntry {
  const told =
    type in OPERATIONAL_TOLD ? OPERATIONAL_TOLD[type as OperationalEventType] : recordTold(type as RecordEventType);
  const concernsWorkspace = type.startsWith("endpoint.");
  const schema: z.ZodType = z
    .strictObject({
      id: z.string(),
      type: z.literal(type),
      timestamp: z.iso.datetime(),
      mode: z.enum(["live", "test"]),
      tenantId: z.string().nullable(),
      connection: z.strictObject({ id: z.string(), provider: z.string(), providerAccountId: z.string() }).nullable(),
      data: told.data,
    })
    .meta({ id: `${pascal(type)}Event` });
  const { id, provider, providerAccountId } = exampleConnection({});
  const example = {
    id: "evt_01kahk3vq8f3d8w1xk9pm3s5zr",
    type,
    timestamp: "2026-11-20T10:00:00.000Z",
    mode: "live",
    tenantId: concernsWorkspace ? null : "acme",
    connection: concernsWorkspace ? null : { id, provider, providerAccountId },
    data: told.example,
  };
  // One type at a time, which the type parameter cannot follow; a test parses every example by its schema.
  return { summary: told.summary, schema, example } as EventTypeEntry;
}

function recordTold(type: RecordEventType): Told<unknown> {
  const [model, verb] = type.split(".") as [ModelName, (typeof RECORD_VERBS)[number]];
  return { summary: recordSummary(model, verb), data: RECORD_CHANGES[model], example: exampleChange(model, verb) };
}

function recordSummary(model: ModelName, verb: (typeof RECORD_VERBS)[number]): string {
  switch (verb) {
    case "created":
      return `A record ${model} appeared, or came back; not told during a first import.`;
    case "updated":
      return `The content of a record ${model} changed.`;
    case "deleted":
      return `A record ${model} is gone at the provider.`;
  }
}

/** `order.created` → `OrderCreated` */
function pascal(type: EventType): string {
  return type.replace(/(?:^|\.)([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
