import { encodeId, type RestoreStatus } from "@patchbay/shared";
import { desc } from "drizzle-orm";
import type { Connector } from "../../connectors/kit/index.ts";
import { listWorkspaceIds } from "../../domain/workspaces/index.ts";
import type { Tx } from "../../platform/db/index.ts";
import { listAtRisk, type ConnectionAtRisk } from "../credentials/index.ts";
import type { RestoreDeps } from "./deps.ts";
import { restores } from "./tables.ts";

const SHOWN_MAX = 1_000;

export type RestoreRow = typeof restores.$inferSelect;

/** The newest restore of this database; `null`: there was none. */
export async function latestRestore(tx: Tx): Promise<RestoreRow | null> {
  const [row] = await tx.select().from(restores).orderBy(desc(restores.restoredAt), desc(restores.id)).limit(1);
  return row ?? null;
}

/** When the restore was that waits for its operator; `null`: none does. */
export async function heldSince(deps: Pick<RestoreDeps, "worker">): Promise<Date | null> {
  const row = await deps.worker.withQueue(latestRestore);
  return row === null || row.confirmedAt !== null ? null : row.restoredAt;
}

/** Whether the product is held, and what its operator has to know before it goes on. */
export async function restoreStatus(
  deps: Pick<RestoreDeps, "worker"> & { readonly connectors: Readonly<Record<string, Connector>> },
): Promise<RestoreStatus> {
  const row = await deps.worker.withQueue(latestRestore);
  if (row === null) return { held: false, restore: null, connectionsAtRisk: [], connectionsAtRiskCount: 0 };
  const held = row.confirmedAt === null;
  const connectionsAtRisk: RestoreStatus["connectionsAtRisk"][number][] = [];
  let connectionsAtRiskCount = 0;
  for (const workspaceId of held ? await listWorkspaceIds(deps.worker.withQueue) : []) {
    const found = await deps.worker.withWorkspace(workspaceId, (tx) =>
      listAtRisk(deps, tx, { workspaceId, restoredAt: row.restoredAt }),
    );
    connectionsAtRiskCount += found.length;
    for (const each of found.slice(0, SHOWN_MAX - connectionsAtRisk.length)) {
      connectionsAtRisk.push({
        ...each,
        workspaceId: encodeId("ws", workspaceId),
        connectionId: encodeId("conn", each.connectionId),
        why: WHY_AT_EDGE[each.why],
      });
    }
  }
  return {
    held,
    restore: {
      backupTakenAt: row.backupTakenAt.toISOString(),
      restoredAt: row.restoredAt.toISOString(),
      confirmedAt: row.confirmedAt?.toISOString() ?? null,
    },
    connectionsAtRisk,
    connectionsAtRiskCount,
  };
}

const WHY_AT_EDGE = {
  single_use: "singleUse",
  until_replaced: "untilReplaced",
  own_rotation: "ownRotation",
} as const satisfies Record<ConnectionAtRisk["why"], string>;
