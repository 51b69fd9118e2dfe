import type { Delivery, DeliveryId, EndpointId, Page, WorkspaceId } from "@patchbay/shared";
import { and, desc, eq, isNull, lt } from "drizzle-orm";
import { tenants } from "../../../domain/workspaces/index.ts";
import { decodeListCursor, encodeListCursor } from "../cursor.ts";
import type { DeliveryDeps } from "../deps.ts";
import { deliveries, endpoints } from "../tables.ts";
import { toApiDelivery } from "../to-api.ts";

export interface ListDeliveriesInput {
  readonly workspaceId: WorkspaceId;
  readonly limit: number;
  readonly cursor?: string | undefined;
  readonly endpointId?: EndpointId | undefined;
  readonly status?: Delivery["status"] | undefined;
}

/** Newest first. @throws AppError `invalid_cursor` */
export async function listDeliveries(
  deps: Pick<DeliveryDeps, "app">,
  input: ListDeliveriesInput,
): Promise<Page<Delivery>> {
  const { workspaceId, limit } = input;
  // The cursor's id came out of a row of ours, and is only compared.
  const before = input.cursor === undefined ? null : (decodeListCursor(workspaceId, input.cursor) as DeliveryId);
  const rows = await deps.app.withWorkspace(workspaceId, (tx) =>
    tx
      .select({ delivery: deliveries, tenantId: tenants.externalId, openUntil: endpoints.openUntil })
      .from(deliveries)
      .innerJoin(endpoints, and(eq(endpoints.workspaceId, workspaceId), eq(endpoints.id, deliveries.endpointId)))
      .leftJoin(
        tenants,
        and(eq(tenants.workspaceId, workspaceId), eq(tenants.uid, deliveries.tenantUid), isNull(tenants.erasedAt)),
      )
      .where(
        and(
          eq(deliveries.workspaceId, workspaceId),
          input.endpointId === undefined ? undefined : eq(deliveries.endpointId, input.endpointId),
          input.status === undefined ? undefined : eq(deliveries.status, input.status),
          before === null ? undefined : lt(deliveries.id, before),
        ),
      )
      .orderBy(desc(deliveries.id))
      .limit(limit + 1),
  );
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  const hasMore = rows.length > limit;
  return {
    data: page.map((row) => toApiDelivery(row.delivery, row.tenantId, row.openUntil)),
    hasMore,
    nextCursor: last === undefined || !hasMore ? null : encodeListCursor(workspaceId, last.delivery.id),
  };
}
