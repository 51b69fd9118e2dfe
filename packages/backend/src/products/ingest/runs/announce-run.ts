import { appendEvents } from "../../../domain/events/index.ts";
import type { RecordOwner } from "../../../domain/records/index.ts";
import type { Sealer } from "../../../domain/vault/index.ts";
import type { Tx } from "../../../platform/db/index.ts";
import { toRun, type RunRow } from "./to-run.ts";

/** Tells the host where a run stands, in the transaction that makes it so. */
export async function announceRun(
  tx: Tx,
  sealer: Sealer,
  owner: RecordOwner,
  type: "run.started" | "run.progress" | "run.completed" | "run.partial" | "run.failed",
  row: RunRow,
  now: Date,
): Promise<void> {
  await appendEvents(tx, sealer, [
    {
      workspaceId: owner.workspaceId,
      tenantUid: owner.tenantUid,
      tenantExternalId: owner.tenantExternalId,
      connection: { id: owner.connectionId, provider: owner.provider, accountId: owner.accountId },
      type,
      mode: owner.mode,
      occurredAt: now,
      data: { run: toRun(row, owner.tenantExternalId) },
    },
  ]);
}
