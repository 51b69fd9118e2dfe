import type { ConnectionEventType } from "@patchbay/shared";
import type { Tx } from "../../platform/db/index.ts";
import type { Clock } from "../../platform/runtime/index.ts";
import { appendEvents } from "../events/index.ts";
import type { Sealer } from "../vault/index.ts";
import { tenantExternalId } from "../workspaces/index.ts";
import type { ConnectionRow } from "./load-connection.ts";
import { toApi } from "./to-api.ts";

/** Appends an event about the connection as it is now. Nobody is told about an erased tenant. */
export async function announce(
  tx: Tx,
  deps: { readonly clock: Clock; readonly sealer: Sealer },
  row: ConnectionRow,
  type: ConnectionEventType,
): Promise<void> {
  const externalId = await tenantExternalId(tx, { workspaceId: row.workspaceId, uid: row.tenantUid });
  if (externalId === null) return;
  await appendEvents(tx, deps.sealer, [
    {
      workspaceId: row.workspaceId,
      tenantUid: row.tenantUid,
      tenantExternalId: externalId,
      connection: { id: row.id, provider: row.provider, accountId: row.accountId },
      type,
      mode: row.mode,
      occurredAt: deps.clock.now(),
      data: { connection: toApi(row, externalId, null) },
    },
  ]);
}
