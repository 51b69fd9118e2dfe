import type { ConnectionId } from "@patchbay/shared";
import { and, eq } from "drizzle-orm";
import type { Connector } from "../../connectors/kit/index.ts";
import { connections, type ConnectionRow } from "../../domain/connections/index.ts";
import type { RecordOwner } from "../../domain/records/index.ts";
import { tenantExternalId } from "../../domain/workspaces/index.ts";
import type { LaneKey } from "../../platform/lanes/index.ts";
import type { CallTarget } from "../provider-client/index.ts";
import type { IngestDeps } from "./deps.ts";
import type { LaneOwner } from "./tasks.ts";

/** The connection whose lane is worked, with what everything done for it needs. */
export interface LaneConnection {
  readonly row: ConnectionRow;
  readonly connector: Connector;
  readonly owner: RecordOwner;
  readonly lane: LaneOwner;
  /** For calls with its tokens. */
  readonly target: CallTarget;
}

/** `null`: the connection, its tenant or its connector is gone, and with it all work for it. */
export async function loadLaneConnection(
  deps: Pick<IngestDeps, "worker" | "connectorById">,
  key: Pick<LaneKey, "workspaceId" | "laneId">,
): Promise<LaneConnection | null> {
  const { workspaceId } = key;
  // Lanes of this kind are named by connections.
  const connectionId = key.laneId as ConnectionId;
  const found = await deps.worker.withWorkspace(workspaceId, async (tx) => {
    const [row] = await tx
      .select()
      .from(connections)
      .where(and(eq(connections.workspaceId, workspaceId), eq(connections.id, connectionId)));
    if (row === undefined) return null;
    const externalId = await tenantExternalId(tx, { workspaceId, uid: row.tenantUid });
    return externalId === null ? null : { row, externalId };
  });
  if (found === null || found.row.endedAt !== null) return null;
  const { row, externalId } = found;
  const connector = deps.connectorById(row.provider);
  if (connector === null) return null;
  return {
    row,
    connector,
    owner: {
      workspaceId,
      tenantUid: row.tenantUid,
      tenantExternalId: externalId,
      connectionId,
      provider: row.provider,
      accountId: row.accountId,
      mode: row.mode,
      accountCurrency: row.accountCurrency,
    },
    lane: { workspaceId, tenantUid: row.tenantUid, connectionId },
    target: { workspaceId, grantId: row.grantId },
  };
}
