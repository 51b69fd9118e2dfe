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
import { and, desc, eq, gt, inArray, isNull, or } from "drizzle-orm";
import { events } from "../../domain/events/index.ts";
import { workspaces } from "../../domain/workspaces/index.ts";
import type { Tx } from "../../platform/db/index.ts";
import { deliveries, endpoints, endpointSecrets } from "./tables.ts";

export type EndpointRow = typeof endpoints.$inferSelect;

/** A delivery that may have to be sent, with its event's sealed body. */
export interface LoadedDelivery {
  readonly id: DeliveryId;
  readonly eventId: EventId;
  readonly eventType: EventType;
  readonly status: DeliveryStatus;
  readonly position: number | null;
  readonly orderKey: RecordId | null;
  readonly attempts: number;
  readonly scheduleOffset: number;
  readonly replayId: DeliveryReplayId | null;
  readonly signWith: SignWith;
  readonly body: Uint8Array;
  readonly bodyKeyId: (typeof events.$inferSelect)["bodyKeyId"];
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

/** All that a claimed lane's deliveries need, in one transaction. */
export async function loadLaneWork(
  tx: Tx,
  input: {
    readonly workspaceId: WorkspaceId;
    readonly endpointId: EndpointId;
    readonly ids: readonly DeliveryId[];
    readonly now: Date;
  },
): Promise<LaneWork> {
  const { workspaceId, endpointId } = input;
  const [workspace] = await tx.select({ mode: workspaces.mode }).from(workspaces).where(eq(workspaces.id, workspaceId));
  if (workspace === undefined) throw new Error("the workspace of this lane is missing");
  return {
    mode: workspace.mode,
    endpoint: await findEndpoint(tx, workspaceId, endpointId),
    deliveries: await findDeliveries(tx, workspaceId, input.ids),
    secrets: await tx
      .select({ id: endpointSecrets.id, secret: endpointSecrets.secret })
      .from(endpointSecrets)
      .where(liveSecretsOf(workspaceId, endpointId, input.now))
      .orderBy(desc(endpointSecrets.createdAt), desc(endpointSecrets.id))
      .limit(SECRETS_MAX),
  };
}

/** The endpoint, unless it was deleted. */
export async function findEndpoint(
  tx: Tx,
  workspaceId: WorkspaceId,
  endpointId: EndpointId,
  lock: "update" | "share" | null = null,
): Promise<EndpointRow | null> {
  const query = tx
    .select()
    .from(endpoints)
    .where(and(eq(endpoints.workspaceId, workspaceId), eq(endpoints.id, endpointId), isNull(endpoints.deletedAt)));
  const [row] = lock === null ? await query : await query.for(lock);
  return row ?? null;
}

/** Condition: signs deliveries at `now`. */
export function liveSecretsOf(workspaceId: WorkspaceId, endpointId: EndpointId, now: Date) {
  return and(
    eq(endpointSecrets.workspaceId, workspaceId),
    eq(endpointSecrets.endpointId, endpointId),
    or(isNull(endpointSecrets.expiresAt), gt(endpointSecrets.expiresAt, now)),
  );
}

async function findDeliveries(
  tx: Tx,
  workspaceId: WorkspaceId,
  ids: readonly DeliveryId[],
): Promise<ReadonlyMap<DeliveryId, LoadedDelivery>> {
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
      body: events.body,
      bodyKeyId: events.bodyKeyId,
    })
    .from(deliveries)
    .innerJoin(events, and(eq(events.workspaceId, workspaceId), eq(events.id, deliveries.eventId)))
    .where(and(eq(deliveries.workspaceId, workspaceId), inArray(deliveries.id, [...ids])));
  return new Map(rows.map((row) => [row.id, row]));
}
