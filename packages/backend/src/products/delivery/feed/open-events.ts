import type { DataKeyId, EventId, PatchbayEvent, WorkspaceId } from "@patchbay/shared";
import type { Vault } from "../../../domain/vault/index.ts";
import { readEventBody } from "../read-event-body.ts";

interface SealedEvent {
  readonly id: EventId;
  readonly body: Uint8Array;
  readonly bodyKeyId: DataKeyId;
}

/** The events that can still be read, with their rows; those of erased tenants are left out. */
export async function openEvents<Row extends SealedEvent>(
  vault: Vault,
  workspaceId: WorkspaceId,
  rows: readonly Row[],
): Promise<readonly { readonly row: Row; readonly event: PatchbayEvent }[]> {
  const open = await vault.opener(workspaceId, [...new Set(rows.map((row) => row.bodyKeyId))]);
  return rows.flatMap((row) => {
    const bytes = readEventBody(open, row);
    // Sealed by us as an event; the seal is bound to this row.
    return bytes === null ? [] : [{ row, event: JSON.parse(Buffer.from(bytes).toString()) as PatchbayEvent }];
  });
}
