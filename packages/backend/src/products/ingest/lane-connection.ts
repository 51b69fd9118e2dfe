import type { ConnectionId } from "@patchbay/shared";
import { and, eq, isNull } from "drizzle-orm";
import type { Connector } from "../../connectors/kit/index.ts";
import { connections, type ConnectionRow } from "../../domain/connections/index.ts";
import type { RecordOwner } from "../../domain/records/index.ts";
import { tenants } from "../../domain/workspaces/index.ts";
import type { Tx } from "../../platform/db/index.ts";
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

/** Lanes of this kind are named by connections. */
export function connectionOf({ laneId }: Pick<LaneKey, "laneId">): ConnectionId {
  return laneId as ConnectionId;
}

/** `null`: the connection, its tenant or its connector is gone, and with it all work for it. */
export async function loadLaneConnection(
  deps: Pick<IngestDeps, "worker" | "connectorById">,
  key: Pick<LaneKey, "workspaceId" | "laneId">,
): Promise<LaneConnection | null> {
  return deps.worker.withWorkspace(key.workspaceId, (tx) => readLaneConnection(tx, deps, key));
}

/** As {@link loadLaneConnection}, in one statement of a transaction. */
export async function readLaneConnection(
  tx: Tx,
  deps: Pick<IngestDeps, "connectorById">,
  key: Pick<LaneKey, "workspaceId" | "laneId">,
): Promise<LaneConnection | null> {
  const { workspaceId } = key;
  const connectionId = connectionOf(key);
  const [found] = await tx
    .select({ row: connections, externalId: tenants.externalId })
    .from(connections)
    .innerJoin(
      tenants,
      and(eq(tenants.workspaceId, workspaceId), eq(tenants.uid, connections.tenantUid), isNull(tenants.erasedAt)),
    )
    .where(
      and(eq(connections.workspaceId, workspaceId), eq(connections.id, connectionId), isNull(connections.endedAt)),
    );
  if (found === undefined) return null;
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
