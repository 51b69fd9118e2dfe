import { encodeId, type Connection, type ConnectionRun } from "@patchbay/shared";
import type { ConnectionRow } from "./load-connection.ts";

export function toApi(row: ConnectionRow, tenantExternalId: string, latestRun: ConnectionRun | null): Connection {
  return {
    id: encodeId("conn", row.id),
    tenantId: tenantExternalId,
    provider: row.provider,
    providerAccountId: row.accountId,
    accountName: row.accountName,
    accountUrl: row.accountUrl,
    mode: row.mode,
    status: row.status,
    health: row.health,
    statusReason: row.statusReason,
    models: row.models,
    grantedScopes: row.grantedScopes,
    createdAt: row.createdAt.toISOString(),
    activatedAt: row.activatedAt?.toISOString() ?? null,
    lastSyncedAt: row.lastSyncedAt?.toISOString() ?? null,
    latestRun,
  };
}
