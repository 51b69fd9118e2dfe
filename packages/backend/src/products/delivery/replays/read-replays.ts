import {
  AppError,
  encodeId,
  type DeliveryReplay,
  type DeliveryReplayId,
  type EndpointId,
  type Page,
  type WorkspaceId,
} from "@patchbay/shared";
import { and, count, desc, eq, lt } from "drizzle-orm";
import { tenantExternalId } from "../../../domain/workspaces/index.ts";
import type { Tx } from "../../../platform/db/index.ts";
import { decodeListCursor, encodeListCursor } from "../cursor.ts";
import type { DeliveryDeps } from "../deps.ts";
import { deliveries, deliveryReplays } from "../tables.ts";

export type ReplayRow = typeof deliveryReplays.$inferSelect;

/** @throws AppError `delivery_replay_not_found` */
export async function getReplay(
  deps: Pick<DeliveryDeps, "app">,
  input: { readonly workspaceId: WorkspaceId; readonly replayId: DeliveryReplayId },
): Promise<DeliveryReplay> {
  return deps.app.withWorkspace(input.workspaceId, async (tx) => {
    const [row] = await tx
      .select()
      .from(deliveryReplays)
      .where(and(eq(deliveryReplays.workspaceId, input.workspaceId), eq(deliveryReplays.id, input.replayId)));
    if (row === undefined) throw replayNotFound();
    return toReplay(tx, row);
  });
}

/** Newest first. @throws AppError `invalid_cursor` */
export async function listReplays(
  deps: Pick<DeliveryDeps, "app">,
  input: {
    readonly workspaceId: WorkspaceId;
    readonly endpointId?: EndpointId | undefined;
    readonly limit: number;
    readonly cursor?: string | undefined;
  },
): Promise<Page<DeliveryReplay>> {
  const { workspaceId, endpointId, limit, cursor } = input;
  // The cursor's id came out of a row of ours, and is only compared.
  const before = cursor === undefined ? undefined : (decodeListCursor(workspaceId, cursor) as DeliveryReplayId);
  return deps.app.withWorkspace(workspaceId, async (tx) => {
    const rows = await tx
      .select()
      .from(deliveryReplays)
      .where(
        and(
          eq(deliveryReplays.workspaceId, workspaceId),
          endpointId === undefined ? undefined : eq(deliveryReplays.endpointId, endpointId),
          before === undefined ? undefined : lt(deliveryReplays.id, before),
        ),
      )
      .orderBy(desc(deliveryReplays.id))
      .limit(limit + 1);
    const data: DeliveryReplay[] = [];
    for (const row of rows.slice(0, limit)) data.push(await toReplay(tx, row));
    const last = rows.slice(0, limit).at(-1);
    const hasMore = rows.length > limit;
    return { data, hasMore, nextCursor: hasMore && last ? encodeListCursor(workspaceId, last.id) : null };
  });
}

export async function toReplay(tx: Tx, row: ReplayRow): Promise<DeliveryReplay> {
  const { workspaceId } = row;
  const tenantId = row.ofTenantUid === null ? null : await tenantExternalId(tx, { workspaceId, uid: row.ofTenantUid });
  const ended = await tx
    .select({ status: deliveries.status, count: count() })
    .from(deliveries)
    .where(and(eq(deliveries.workspaceId, workspaceId), eq(deliveries.replayId, row.id)))
    .groupBy(deliveries.status);
  const countOf = (status: "delivered" | "failed") => ended.find((group) => group.status === status)?.count ?? 0;
  return {
    id: encodeId("drp", row.id),
    endpointId: encodeId("we", row.endpointId),
    status: row.status,
    filter: {
      ...(row.type === null ? {} : { type: row.type }),
      ...(tenantId === null ? {} : { tenantId }),
      ...(row.since === null ? {} : { since: row.since.toISOString() }),
      ...(row.until === null ? {} : { until: row.until.toISOString() }),
      ...(row.only === null ? {} : { only: row.only }),
    },
    eventIds: row.eventIds?.length ?? null,
    ratePerSecond: row.ratePerSecond,
    matches: row.matched,
    replayed: row.replayed,
    delivered: countOf("delivered"),
    failed: countOf("failed"),
    createdAt: row.createdAt.toISOString(),
    finishedAt: row.finishedAt?.toISOString() ?? null,
  };
}

export function replayNotFound(): AppError {
  return new AppError("delivery_replay_not_found", "no replay of deliveries with this id in this workspace");
}
