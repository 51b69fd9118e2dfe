import { encodeId } from "@patchbay/shared";
import { isNull } from "drizzle-orm";
import { listWorkspaceIds } from "../../domain/workspaces/index.ts";
import type { RestoreDeps } from "./deps.ts";
import { latestRestore } from "./read-restore.ts";
import { restores } from "./tables.ts";

/** Lets the product go on: every process notices within a second. @returns whether it was held */
export async function confirmRestore(
  deps: RestoreDeps,
  by: { readonly requestId?: string | null; readonly clientAddress?: string | null } = {},
): Promise<boolean> {
  const row = await deps.worker.withQueue(latestRestore);
  if (row === null || row.confirmedAt !== null) return false;
  for (const workspaceId of await listWorkspaceIds(deps.worker.withQueue)) {
    await deps.audit.record(workspaceId, {
      ...by,
      actor: { kind: "operator", id: null },
      action: "database.confirm_restore",
      target: { type: "workspace", id: encodeId("ws", workspaceId) },
    });
  }
  const confirmed = await deps.worker.withQueue((tx) =>
    tx
      .update(restores)
      .set({ confirmedAt: deps.clock.now() })
      .where(isNull(restores.confirmedAt))
      .returning({ id: restores.id }),
  );
  return confirmed.length > 0;
}
