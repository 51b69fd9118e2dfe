import {
  encodeId,
  type AuthorizationEventData,
  type AuthorizationEventType,
  type ConnectionEventData,
  type ConnectionEventType,
  type ConnectionId,
  type EndpointEventData,
  type EndpointEventType,
  type EventId,
  type ModelName,
  type PrivacyEventData,
  type PrivacyEventType,
  type RecordChange,
  type RecordEventType,
  type RecordId,
  type RunEventData,
  type RunEventType,
  type TenantUid,
  type WorkspaceId,
} from "@patchbay/shared";
import { manyRows, sideBySide, type Tx } from "../../platform/db/index.ts";
import { queueUnsequenced } from "../../platform/lanes/index.ts";
import { newId, newIds } from "../../platform/runtime/index.ts";
import type { Place, Sealer } from "../vault/index.ts";
import { events } from "./tables.ts";
import { withoutRecord } from "./thin-event.ts";

/** Something that the host is to be told: the data must be of the type's shape. */
export type NewEvent = NewEventOf &
  (
    | { readonly type: RecordEventType; readonly data: RecordChange; readonly record: ToldRecord }
    | { readonly type: ConnectionEventType; readonly data: ConnectionEventData }
    | { readonly type: AuthorizationEventType; readonly data: AuthorizationEventData }
    | { readonly type: RunEventType; readonly data: RunEventData }
    | { readonly type: EndpointEventType; readonly data: EndpointEventData }
    | { readonly type: PrivacyEventType; readonly data: PrivacyEventData }
  );

interface NewEventOf {
  readonly workspaceId: WorkspaceId;
  /** The nil UUID for what concerns the workspace as a whole. */
  readonly tenantUid: TenantUid;
  /** The host's own id of the tenant; `null` for workspace-level events. */
  readonly tenantExternalId: string | null;
  readonly connection: { readonly id: ConnectionId; readonly provider: string; readonly accountId: string } | null;
  readonly mode: "live" | "test";
  readonly occurredAt: Date;
  /** At most one event exists per record version. */
  readonly record?: ToldRecord;
}

interface ToldRecord {
  readonly id: RecordId;
  readonly model: ModelName;
  readonly version: number;
}

/** Of one event's body. A larger one goes without its record, which the host reads then. */
export const EVENT_BYTES_MAX = 256 * 1024;
/** Events in one statement. */
const ROWS_MAX = 1_000;

/**
 * Appends events of one tenant in the transaction that makes them true, to be told in their order. The sequencer gives them positions later;
 * poke `events` after the commit.
 *
 * @param sealer of the tenant's `payload` key (of the nil tenant for workspace-level events)
 * @returns the ids, in the order of `items`
 */
export async function appendEvents(tx: Tx, sealer: Sealer, items: readonly NewEvent[]): Promise<readonly EventId[]> {
  const [first] = items;
  if (first === undefined) return [];
  // Told in the order in which they are given.
  const ids = newIds<EventId>(items.length);
  const rows = ids.flatMap((id, index) => items.slice(index, index + 1).map((item) => toRow(sealer, id, item)));
  const chunks = Array.from({ length: Math.ceil(rows.length / ROWS_MAX) }, (_, index) =>
    rows.slice(index * ROWS_MAX, (index + 1) * ROWS_MAX),
  );
  await sideBySide(
    ...chunks.map((chunk) => tx.insert(events).select(manyRows(events, chunk))),
    tx.insert(queueUnsequenced).values({ id: newId(), workspaceId: first.workspaceId }),
  );
  return rows.map((row) => row.id);
}

/** What an event's sealed body is bound to. */
export function eventPlace(eventId: EventId): Place {
  return { table: "events", rowId: eventId, column: "body", rowVersion: 1 };
}

function toRow(sealer: Sealer, id: EventId, item: NewEvent) {
  return {
    workspaceId: item.workspaceId,
    id,
    tenantUid: item.tenantUid,
    connectionId: item.connection?.id ?? null,
    type: item.type,
    model: item.record?.model ?? null,
    recordId: item.record?.id ?? null,
    recordVersion: item.record?.version ?? null,
    occurredAt: item.occurredAt,
    body: sealer.seal(eventPlace(id), toBytes(id, item)),
    bodyKeyId: sealer.keyId,
  } satisfies typeof events.$inferInsert;
}

function toBytes(id: EventId, item: NewEvent): Uint8Array {
  const body = Buffer.from(JSON.stringify(toBody(id, item, item.data)));
  if (body.length <= EVENT_BYTES_MAX || !("object" in item.data)) return body;
  return Buffer.from(JSON.stringify(toBody(id, item, { ...withoutRecord(item.data), truncated: true })));
}

function toBody(id: EventId, item: NewEvent, data: NewEvent["data"]) {
  return {
    id: encodeId("evt", id),
    type: item.type,
    timestamp: item.occurredAt.toISOString(),
    mode: item.mode,
    tenantId: item.tenantExternalId,
    connection:
      item.connection === null
        ? null
        : {
            id: encodeId("conn", item.connection.id),
            provider: item.connection.provider,
            providerAccountId: item.connection.accountId,
          },
    data,
  };
}
