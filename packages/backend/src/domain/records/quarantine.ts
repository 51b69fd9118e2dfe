import type { RunId } from "@patchbay/shared";
import { sql } from "drizzle-orm";
import { arrayParam, type Tx } from "../../platform/db/index.ts";
import { newId, type Clock } from "../../platform/runtime/index.ts";
import type { Sealer } from "../vault/index.ts";
import type { RecordOwner, RejectedItem } from "./project.ts";
import { recordQuarantine } from "./tables.ts";

/**
 * Keeps objects that did not fit, sealed, so that nothing received is lost and an upgrade can try them again. Of an
 * object that is read again and again, the newest copy.
 */
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
  await forgetFormer(tx, input);
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

async function forgetFormer(
  tx: Tx,
  { owner, rejected }: { readonly owner: RecordOwner; readonly rejected: readonly RejectedItem[] },
): Promise<void> {
  const named = rejected.filter((item) => item.remoteId !== null);
  if (named.length === 0) return;
  await tx.execute(sql`
    delete from record_quarantine q using unnest(
      ${arrayParam(
        named.map((item) => item.resource),
        "text",
      )},
      ${arrayParam(
        named.map((item) => item.remoteId),
        "text",
      )}
    ) as again (resource, remote_id)
    where q.workspace_id = ${owner.workspaceId} and q.connection_id = ${owner.connectionId}
      and q.resource = again.resource and q.remote_id = again.remote_id`);
}
