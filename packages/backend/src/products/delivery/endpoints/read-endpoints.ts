import { AppError, type EndpointId, type Page, type WebhookEndpoint, type WorkspaceId } from "@patchbay/shared";
import { and, asc, eq, gt, isNull } from "drizzle-orm";
import type { Tx } from "../../../platform/db/index.ts";
import { decodeListCursor, encodeListCursor } from "../cursor.ts";
import type { DeliveryDeps } from "../deps.ts";
import { findEndpoint, type EndpointRow } from "../find-endpoints.ts";
import { endpoints } from "../tables.ts";
import { toWebhookEndpoint } from "../to-api.ts";
import { tenantIdsOf } from "./tenant-filter.ts";

/** @throws AppError `endpoint_not_found` */
export async function getEndpoint(
  deps: Pick<DeliveryDeps, "app">,
  input: { readonly workspaceId: WorkspaceId; readonly endpointId: EndpointId },
): Promise<WebhookEndpoint> {
  return deps.app.withWorkspace(input.workspaceId, async (tx) =>
    describeEndpoint(tx, await mustFindEndpoint(tx, input)),
  );
}

/** Oldest first. @throws AppError `invalid_cursor` */
export async function listEndpoints(
  deps: Pick<DeliveryDeps, "app">,
  input: { readonly workspaceId: WorkspaceId; readonly limit: number; readonly cursor?: string | undefined },
): Promise<Page<WebhookEndpoint>> {
  const { workspaceId, limit } = input;
  // The cursor's id came out of a row of ours, and is only compared.
  const after = input.cursor === undefined ? null : (decodeListCursor(workspaceId, input.cursor) as EndpointId);
  const { rows, data } = await deps.app.withWorkspace(workspaceId, async (tx) => {
    const rows = await tx
      .select()
      .from(endpoints)
      .where(
        and(
          eq(endpoints.workspaceId, workspaceId),
          isNull(endpoints.deletedAt),
          after === null ? undefined : gt(endpoints.id, after),
        ),
      )
      .orderBy(asc(endpoints.id))
      .limit(limit + 1);
    return { rows, data: await describeEndpoints(tx, workspaceId, rows.slice(0, limit)) };
  });
  const last = rows.slice(0, limit).at(-1);
  const hasMore = rows.length > limit;
  return {
    data,
    hasMore,
    nextCursor: last === undefined || !hasMore ? null : encodeListCursor(workspaceId, last.id),
  };
}

/** An endpoint as the API shows it. */
export async function describeEndpoint(tx: Tx, row: EndpointRow): Promise<WebhookEndpoint> {
  const [described] = await describeEndpoints(tx, row.workspaceId, [row]);
  if (described === undefined) throw new Error("the endpoint was not described");
  return described;
}

/** @throws AppError `endpoint_not_found` */
export async function mustFindEndpoint(
  tx: Tx,
  input: { readonly workspaceId: WorkspaceId; readonly endpointId: EndpointId },
  lock: "update" | "share" | null = null,
): Promise<EndpointRow> {
  const row = await findEndpoint(tx, input.workspaceId, input.endpointId, lock);
  if (row === null) throw new AppError("endpoint_not_found", "no such webhook endpoint in this workspace");
  return row;
}

async function describeEndpoints(
  tx: Tx,
  workspaceId: WorkspaceId,
  rows: readonly EndpointRow[],
): Promise<readonly WebhookEndpoint[]> {
  const ids = await tenantIdsOf(
    tx,
    workspaceId,
    rows.flatMap((row) => row.tenantUids ?? []),
  );
  return rows.map((row) =>
    toWebhookEndpoint(row, row.tenantUids === null ? null : row.tenantUids.flatMap((uid) => ids.get(uid) ?? [])),
  );
}
