import type {
  ConnectionEventData,
  EventType,
  ModelName,
  PatchbayEvent as WireEvent,
  RecordOf,
  RunEventData,
} from "@patchbay/shared";

export type { EventType };

/**
 * What happened, as one of many shapes: `switch (event.type)` tells TypeScript what `event.data` holds.
 *
 * Keep a `default` branch: a newer Patchbay may send types that this version does not know.
 */
export type PatchbayEvent = { [T in EventType]: EventOf<T> }[EventType];

/** The event of one type: `EventOf<"order.created">["data"]["object"]` is an `Order`. */
export interface EventOf<T extends EventType> extends Omit<WireEvent<DataOf<T>>, "type"> {
  readonly type: T;
}

/** Data of `<model>.created|updated|deleted`. */
export interface RecordChange<M extends ModelName> {
  /** The record after the change; of a deleted one, its last state. */
  readonly object: RecordOf[M];
  /** Names of the fields that changed; empty when created. */
  readonly changedFields: readonly string[];
  /** Former values of `changedFields`. */
  readonly previous: Partial<RecordOf[M]>;
  /** `write`: an echo of your own write-back. */
  readonly origin: "provider" | "write";
}

type DataOf<T extends EventType> = T extends `${infer M extends ModelName}.${"created" | "updated" | "deleted"}`
  ? RecordChange<M>
  : T extends `connection.${string}`
    ? ConnectionEventData
    : T extends `run.${string}`
      ? RunEventData
      : Readonly<Record<string, unknown>>;
