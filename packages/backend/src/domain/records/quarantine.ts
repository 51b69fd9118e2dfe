import type { RunId } from "@patchbay/shared";
import type { Tx } from "../../platform/db/index.ts";
import { newId, type Clock } from "../../platform/runtime/index.ts";
import type { Sealer } from "../vault/index.ts";
import type { RecordOwner, RejectedItem } from "./project.ts";
import { recordQuarantine } from "./tables.ts";

/** Keeps objects that did not fit, sealed, so that nothing received is lost and an upgrade can try them again. */
export async function quarantine(
  tx: Tx,
  deps: { readonly clock: Clock },
  input: {
    readonly owner: RecordOwner;
    readonly runId: RunId | null;
    readonly rejected: readonly RejectedItem[];
    readonly sealer: Sealer;
  },
): Promise<void> {
  if (input.rejected.length === 0) return;
  await tx.insert(recordQuarantine).values(
    input.rejected.map((item) => {
      const id = newId<string>();
      return {
        workspaceId: input.owner.workspaceId,
        id,
        tenantUid: input.owner.tenantUid,
        connectionId: input.owner.connectionId,
        runId: input.runId,
        resource: item.resource,
        remoteId: item.remoteId,
        issuePath: item.issuePath.slice(0, 200),
        issueCode: item.issueCode,
        raw: input.sealer.seal(
          { table: "record_quarantine", rowId: id, column: "raw", rowVersion: 1 },
          Buffer.from(JSON.stringify(item.item)),
        ),
        bodyKeyId: input.sealer.keyId,
        createdAt: deps.clock.now(),
      };
    }),
  );
}
