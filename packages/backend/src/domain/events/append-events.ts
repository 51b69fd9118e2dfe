import {
  encodeId,
  type ConnectionId,
  type EventId,
  type EventType,
  type ModelName,
  type PatchbayEvent,
  type RecordId,
  type TenantUid,
  type WorkspaceId,
} from "@patchbay/shared";
import type { Tx } from "../../platform/db/index.ts";
import { queueUnsequenced } from "../../platform/lanes/index.ts";
import { newId } from "../../platform/runtime/index.ts";
import type { Place, Sealer } from "../vault/index.ts";
import { events } from "./tables.ts";

/** Something that the host is to be told. */
export interface NewEvent {
  readonly workspaceId: WorkspaceId;
  /** The nil UUID for what concerns the workspace as a whole. */
  readonly tenantUid: TenantUid;
  /** The host's own id of the tenant; `null` for workspace-level events. */
  readonly tenantExternalId: string | null;
  readonly connection: { readonly id: ConnectionId; readonly provider: string; readonly accountId: string } | null;
  readonly type: EventType;
  readonly mode: "live" | "test";
  readonly occurredAt: Date;
  readonly data: Readonly<Record<string, unknown>>;
  /** Set for record events: at most one event exists per record version. */
  readonly record?: { readonly id: RecordId; readonly model: ModelName; readonly version: number };
}

/** Events in one statement. */
const ROWS_MAX = 1_000;

/**
 * Appends events of one tenant in the transaction that makes them true. The sequencer gives them positions later;
 * poke `events` after the commit.
 *
 * @param sealer of the tenant's `payload` key (of the nil tenant for workspace-level events)
 * @returns the ids, in the order of `items`
 */
export async function appendEvents(tx: Tx, sealer: Sealer, items: readonly NewEvent[]): Promise<readonly EventId[]> {
  const [first] = items;
  if (first === undefined) return [];
  const rows = items.map((item) => toRow(sealer, item));
  for (let from = 0; from < rows.length; from += ROWS_MAX) {
    await tx.insert(events).values(rows.slice(from, from + ROWS_MAX));
  }
  await tx.insert(queueUnsequenced).values({ id: newId(), workspaceId: first.workspaceId });
  return rows.map((row) => row.id);
}

/** What an event's sealed body is bound to. */
export function eventPlace(eventId: EventId): Place {
  return { table: "events", rowId: eventId, column: "body", rowVersion: 1 };
}

function toRow(sealer: Sealer, item: NewEvent) {
  const id = newId<EventId>();
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
    body: sealer.seal(eventPlace(id), Buffer.from(JSON.stringify(toBody(id, item)))),
    bodyKeyId: sealer.keyId,
  } satisfies typeof events.$inferInsert;
}

function toBody(id: EventId, item: NewEvent): PatchbayEvent<Readonly<Record<string, unknown>>> {
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
    data: item.data,
  };
}
