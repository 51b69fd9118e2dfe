import type {
  DeliveryId,
  DeliveryReplayId,
  DeliveryStatus,
  EndpointId,
  EventId,
  EventType,
  RecordId,
  SignWith,
  WorkspaceId,
} from "@patchbay/shared";
import { and, desc, eq, gt, isNull, or } from "drizzle-orm";
import { events } from "../../domain/events/index.ts";
import { workspaces } from "../../domain/workspaces/index.ts";
import { isOneOf, type Tx } from "../../platform/db/index.ts";
import type { DeliveryDeps } from "./deps.ts";
import { findEndpoints, type EndpointRow } from "./find-endpoints.ts";
import { deliveries, endpointSecrets } from "./tables.ts";

/** A delivery that may have to be sent, with its event's sealed body. */
export interface LoadedDelivery {
  readonly id: DeliveryId;
  readonly eventId: EventId;
  readonly eventType: EventType;
  readonly status: DeliveryStatus;
  readonly position: number | null;
  readonly orderKey: RecordId | null;
  /** What it tells of: two of the same are never under way at the same time. */
  readonly subject: string;
  readonly attempts: number;
  readonly scheduleOffset: number;
  readonly replayId: DeliveryReplayId | null;
  readonly signWith: SignWith;
  readonly body: Uint8Array;
  readonly bodyKeyId: (typeof events.$inferSelect)["bodyKeyId"];
}

/** What a claimed lane has to do. */
export interface LaneRequest {
  readonly endpointId: EndpointId;
  readonly ids: readonly DeliveryId[];
}

export interface LaneWork {
  readonly mode: "live" | "test";
  /** `null` when the endpoint was deleted. */
  readonly endpoint: EndpointRow | null;
  readonly deliveries: ReadonlyMap<DeliveryId, LoadedDelivery>;
  /** Sealed, newest first. */
  readonly secrets: readonly { readonly id: string; readonly secret: Uint8Array }[];
}

/** Secrets that sign at the same time: an endpoint may not rotate more often within the grace of the old ones. */
export const SECRETS_MAX = 5;

/** All that the deliveries of claimed lanes need, in one transaction. @returns in the order of the lanes */
export async function loadLaneWork(
  deps: Pick<DeliveryDeps, "worker" | "clock">,
  workspaceId: WorkspaceId,
  lanes: readonly LaneRequest[],
): Promise<readonly LaneWork[]> {
  const endpointIds = [...new Set(lanes.map(({ endpointId }) => endpointId))];
  const ids = lanes.flatMap((lane) => lane.ids);
  const [modes, found, rows, secrets] = await deps.worker.withWorkspace(workspaceId, (tx) =>
    // One statement each, so none comes after a failure.
    Promise.all([
      tx.select({ mode: workspaces.mode }).from(workspaces).where(eq(workspaces.id, workspaceId)),
      findEndpoints(tx, workspaceId, endpointIds),
      findDeliveries(tx, workspaceId, ids),
      findSecrets(tx, workspaceId, endpointIds, deps.clock.now()),
    ]),
  );
  const mode = modes[0]?.mode;
  if (mode === undefined) throw new Error("the workspace of this lane is missing");
  const endpointById = new Map(found.map((row) => [row.id, row]));
  const deliveryById = new Map(rows.map((row) => [row.id, row]));
  return lanes.map((lane) => ({
    mode,
    endpoint: endpointById.get(lane.endpointId) ?? null,
    deliveries: new Map(lane.ids.flatMap((id) => pair(id, deliveryById.get(id)))),
    secrets: secrets.filter(({ endpointId }) => endpointId === lane.endpointId).slice(0, SECRETS_MAX),
  }));
}

function pair(id: DeliveryId, delivery: LoadedDelivery | undefined): [DeliveryId, LoadedDelivery][] {
  return delivery === undefined ? [] : [[id, delivery]];
}

/** Condition: signs deliveries at `now`. */
export function liveSecretsOf(workspaceId: WorkspaceId, endpointIds: readonly EndpointId[], now: Date) {
  return and(
    eq(endpointSecrets.workspaceId, workspaceId),
    isOneOf(endpointSecrets.endpointId, endpointIds),
    or(isNull(endpointSecrets.expiresAt), gt(endpointSecrets.expiresAt, now)),
  );
}

function findSecrets(tx: Tx, workspaceId: WorkspaceId, endpointIds: readonly EndpointId[], now: Date) {
  const { id, endpointId, secret, createdAt } = endpointSecrets;
  return tx
    .select({ id, endpointId, secret })
    .from(endpointSecrets)
    .where(liveSecretsOf(workspaceId, endpointIds, now))
    .orderBy(desc(createdAt), desc(id));
}

async function findDeliveries(
  tx: Tx,
  workspaceId: WorkspaceId,
  ids: readonly DeliveryId[],
): Promise<readonly LoadedDelivery[]> {
  const rows = await tx
    .select({
      id: deliveries.id,
      eventId: deliveries.eventId,
      eventType: deliveries.eventType,
      status: deliveries.status,
      attempts: deliveries.attempts,
      scheduleOffset: deliveries.scheduleOffset,
      replayId: deliveries.replayId,
      signWith: deliveries.signWith,
      position: deliveries.position,
      orderKey: deliveries.orderKey,
      recordId: events.recordId,
      connectionId: events.connectionId,
      body: events.body,
      bodyKeyId: events.bodyKeyId,
    })
    .from(deliveries)
    .innerJoin(events, and(eq(events.workspaceId, workspaceId), eq(events.id, deliveries.eventId)))
    .where(and(eq(deliveries.workspaceId, workspaceId), isOneOf(deliveries.id, ids)));
  return rows.map((row) => ({ ...row, subject: row.recordId ?? row.connectionId ?? "" }));
}
