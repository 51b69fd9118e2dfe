import type {
  ConnectionId,
  DeliveryId,
  EventId,
  EventType,
  ModelName,
  RecordId,
  TenantUid,
  WorkspaceId,
} from "@patchbay/shared";
import { and, asc, eq, isNull, sql } from "drizzle-orm";
import { eventHeads, events } from "../../domain/events/index.ts";
import { manyRows, type RoleDatabase, sideBySide, type Tx } from "../../platform/db/index.ts";
import { enqueue, type NewItem, queueUnsequenced } from "../../platform/lanes/index.ts";
import { newId, newIds, type Clock } from "../../platform/runtime/index.ts";
import type { EndpointRow } from "./find-endpoints.ts";
import { orderEvents } from "./order-events.ts";
import { providersOf } from "./providers-of.ts";
import { orderKeyOf } from "./order.ts";
import { deliveries, endpoints } from "./tables.ts";
import { wantsEvent } from "./wants-event.ts";

interface Deps {
  /** As `patchbay_worker`. */
  readonly worker: RoleDatabase;
  readonly clock: Clock;
}

export interface SequencedBatch {
  readonly events: number;
  readonly deliveries: number;
  /** Whether events were left for another batch. */
  readonly more: boolean;
}

/** Events that one transaction gives positions to. */
const EVENTS_MAX = 500;
const DELIVERIES_PER_STATEMENT = 1_000;

/**
 * Gives the next committed events of a workspace their gapless positions and makes their deliveries, in one
 * transaction. Sequencers wait for each other at the workspace's head row; one that dies leaves everything as it was.
 */
export function sequenceBatch(deps: Deps, workspaceId: WorkspaceId, eventsMax = EVENTS_MAX): Promise<SequencedBatch> {
  return deps.worker.withWorkspace(workspaceId, (tx) => sequence(tx, deps, workspaceId, eventsMax));
}

async function sequence(tx: Tx, deps: Deps, workspaceId: WorkspaceId, eventsMax: number): Promise<SequencedBatch> {
  const [[head], , oldest, wanting] = await sideBySide(
    headForUpdate(tx, workspaceId),
    // Before the events are looked at: each later statement sees at least the events of the markers deleted here.
    tx.delete(queueUnsequenced).where(eq(queueUnsequenced.workspaceId, workspaceId)),
    oldestEvents(tx, workspaceId, eventsMax),
    findLive(tx, workspaceId),
  );
  if (head === undefined) {
    // The workspace's first events: now there is one, and the rest is to be read with it in hand.
    await lockHead(tx, workspaceId);
    return sequence(tx, deps, workspaceId, eventsMax);
  }
  const batch = await withLowerVersions(tx, workspaceId, oldest, eventsMax);
  const more = batch.length >= eventsMax;
  if (more) await tx.insert(queueUnsequenced).values({ id: newId(), workspaceId });
  if (batch.length === 0) return { events: 0, deliveries: 0, more };

  const placed = orderEvents(batch).map((event, index) => ({ ...event, position: head.position + index + 1 }));
  const made = await toDeliveries(tx, workspaceId, wanting, placed, deps.clock.now());
  const due = made.filter((row) => row.status === "pending");
  await sideBySide(
    setPositions(tx, workspaceId, placed),
    ...chunksOf(made, DELIVERIES_PER_STATEMENT).map((rows) => tx.insert(deliveries).select(manyRows(deliveries, rows))),
    tx
      .update(eventHeads)
      .set({ position: head.position + placed.length })
      .where(eq(eventHeads.workspaceId, workspaceId)),
    enqueue(tx, due.map(toItem)),
  );
  return { events: placed.length, deliveries: due.length, more };
}

/** Holds the workspace's head until the transaction ends: positions and who gets what cannot change meanwhile. */
export async function lockHead(tx: Tx, workspaceId: WorkspaceId): Promise<{ epoch: number; position: number }> {
  await tx.insert(eventHeads).values({ workspaceId }).onConflictDoNothing({ target: eventHeads.workspaceId });
  const [head] = await headForUpdate(tx, workspaceId);
  if (head === undefined) throw new Error("the head row of this workspace is missing");
  return head;
}

function headForUpdate(tx: Tx, workspaceId: WorkspaceId) {
  return tx
    .select({ epoch: eventHeads.epoch, position: eventHeads.position })
    .from(eventHeads)
    .where(eq(eventHeads.workspaceId, workspaceId))
    .for("update");
}

interface UnsequencedEvent {
  readonly id: EventId;
  readonly type: EventType;
  readonly model: ModelName | null;
  readonly recordId: RecordId | null;
  readonly recordVersion: number | null;
  readonly tenantUid: TenantUid;
  readonly connectionId: ConnectionId | null;
}
interface PlacedEvent extends UnsequencedEvent {
  readonly position: number;
}

const columns = {
  id: events.id,
  type: events.type,
  model: events.model,
  recordId: events.recordId,
  recordVersion: events.recordVersion,
  tenantUid: events.tenantUid,
  connectionId: events.connectionId,
};

function isWaiting(workspaceId: WorkspaceId) {
  return and(eq(events.workspaceId, workspaceId), isNull(events.position));
}

function oldestEvents(tx: Tx, workspaceId: WorkspaceId, limit: number) {
  return tx.select(columns).from(events).where(isWaiting(workspaceId)).orderBy(asc(events.id)).limit(limit);
}

/** With every lower version of a record that one of them is about. */
async function withLowerVersions(
  tx: Tx,
  workspaceId: WorkspaceId,
  oldest: readonly UnsequencedEvent[],
  limit: number,
): Promise<readonly UnsequencedEvent[]> {
  const records = new Map<RecordId, number>();
  for (const { recordId, recordVersion } of oldest) {
    if (recordId === null) continue;
    records.set(recordId, Math.max(records.get(recordId) ?? 0, recordVersion ?? 0));
  }
  // A batch that holds all there is holds all lower versions too.
  if (records.size === 0 || oldest.length < limit) return oldest;

  const seen = oldest.map((event) => event.id);
  const lower = await tx
    .select(columns)
    .from(events)
    .where(
      and(
        isWaiting(workspaceId),
        sql`${events.id} <> all(${sql.param(seen)}::uuid[])`,
        sql`exists (
          select 1 from unnest(${sql.param([...records.keys()])}::uuid[], ${sql.param([...records.values()])}::int[]) as r (id, version)
          where r.id = ${events.recordId} and ${events.recordVersion} < r.version)`,
      ),
    );
  return [...oldest, ...lower];
}

function setPositions(tx: Tx, workspaceId: WorkspaceId, placed: readonly PlacedEvent[]) {
  return tx.execute(sql`
    update events e set position = placed.position
    from unnest(
      ${sql.param(placed.map((event) => event.id))}::uuid[],
      ${sql.param(placed.map((event) => event.position))}::bigint[]
    ) as placed (id, position)
    where e.workspace_id = ${workspaceId} and e.id = placed.id`);
}

function findLive(tx: Tx, workspaceId: WorkspaceId) {
  return tx
    .select()
    .from(endpoints)
    .where(and(eq(endpoints.workspaceId, workspaceId), isNull(endpoints.deletedAt)));
}

/** Who gets which event. */
async function toDeliveries(
  tx: Tx,
  workspaceId: WorkspaceId,
  wanting: readonly EndpointRow[],
  placed: readonly PlacedEvent[],
  now: Date,
) {
  const providers = await providersOf(tx, workspaceId, wanting, placed);
  const wanted = placed.flatMap((event) =>
    wanting
      .filter(
        (endpoint) =>
          event.position > endpoint.sincePosition &&
          wantsEvent(endpoint, { ...event, provider: providers(event.connectionId) }),
      )
      .map((endpoint) => ({ event, endpoint })),
  );
  // Lanes hand out what is due at the same instant in the order of ids, so ids must rise with positions.
  const ids = newIds<DeliveryId>(wanted.length);
  return wanted.flatMap(({ event, endpoint }, index) => {
    const id = ids[index];
    return id === undefined ? [] : [toDelivery(workspaceId, id, event, endpoint, now)];
  });
}

function toDelivery(workspaceId: WorkspaceId, id: DeliveryId, event: PlacedEvent, endpoint: EndpointRow, now: Date) {
  const enabled = endpoint.status === "enabled";
  return {
    workspaceId,
    id,
    endpointId: endpoint.id,
    eventId: event.id,
    eventType: event.type,
    tenantUid: event.tenantUid,
    orderKey: orderKeyOf(endpoint, event),
    position: event.position,
    status: enabled ? "pending" : "held",
    nextAttemptAt: enabled ? now : null,
    createdAt: now,
  } satisfies typeof deliveries.$inferInsert;
}

function toItem(delivery: ReturnType<typeof toDelivery>): NewItem {
  return {
    kind: "delivery",
    workspaceId: delivery.workspaceId,
    tenantUid: delivery.tenantUid,
    laneId: delivery.endpointId,
    id: delivery.id,
    task: "deliver",
    runAt: delivery.createdAt,
  };
}

function chunksOf<Row>(rows: readonly Row[], size: number): readonly (readonly Row[])[] {
  return Array.from({ length: Math.ceil(rows.length / size) }, (_, index) =>
    rows.slice(index * size, (index + 1) * size),
  );
}
