import {
  AppError,
  decodeId,
  encodeId,
  type ConnectionId,
  type ConnectionStatus,
  type TenantUid,
  type WorkspaceId,
} from "@patchbay/shared";
import { and, desc, eq, inArray, isNull, lt } from "drizzle-orm";
import type { Tx } from "../../platform/db/index.ts";
import { tenants } from "../workspaces/index.ts";
import type { ConnectionRow } from "./load-connection.ts";
import { connections } from "./tables.ts";

export interface ListConnections {
  readonly workspaceId: WorkspaceId;
  readonly limit: number;
  readonly cursor?: string | undefined;
  readonly tenantUid?: TenantUid | undefined;
  readonly provider?: string | undefined;
  readonly status?: ConnectionStatus | undefined;
  /** Only these. */
  readonly ids?: readonly ConnectionId[] | undefined;
  /** Leaves out what was disconnected. */
  readonly withoutEnded?: boolean | undefined;
}

export interface ConnectionPage {
  /** Newest first, each with the host's id of its tenant. */
  readonly rows: readonly { readonly connection: ConnectionRow; readonly tenantExternalId: string }[];
  readonly hasMore: boolean;
  readonly nextCursor: string | null;
}

/** Connections of tenants that are not erased. @throws AppError `invalid_cursor` */
export async function listConnections(tx: Tx, input: ListConnections): Promise<ConnectionPage> {
  const before = input.cursor === undefined ? undefined : decodeId("conn", input.cursor);
  if (before === null) throw new AppError("invalid_cursor", "not a cursor of this list");
  const found = await tx
    .select({ connection: connections, tenantExternalId: tenants.externalId })
    .from(connections)
    .innerJoin(tenants, and(eq(tenants.workspaceId, connections.workspaceId), eq(tenants.uid, connections.tenantUid)))
    .where(
      and(
        eq(connections.workspaceId, input.workspaceId),
        isNull(tenants.erasedAt),
        input.tenantUid === undefined ? undefined : eq(connections.tenantUid, input.tenantUid),
        input.provider === undefined ? undefined : eq(connections.provider, input.provider),
        input.status === undefined ? undefined : eq(connections.status, input.status),
        input.ids === undefined ? undefined : inArray(connections.id, [...input.ids]),
        input.withoutEnded === true ? isNull(connections.endedAt) : undefined,
        before === undefined ? undefined : lt(connections.id, before),
      ),
    )
    .orderBy(desc(connections.id))
    .limit(input.limit + 1);
  const rows = found.slice(0, input.limit);
  const last = rows.at(-1);
  const hasMore = found.length > input.limit;
  return { rows, hasMore, nextCursor: hasMore && last ? encodeId("conn", last.connection.id) : null };
}
