import type { WorkspaceId } from "@patchbay/shared";
import { sql } from "drizzle-orm";
import type { Tx } from "../../platform/db/index.ts";
import { eventHeads } from "./tables.ts";

/**
 * Begins another count of the workspace's feed: cursors from before are told so, since positions after the backup are
 * given anew, to other events.
 *
 * @param least above every epoch that was given after the same backup was restored before
 */
export async function raiseEpoch(tx: Tx, workspaceId: WorkspaceId, least: number): Promise<void> {
  await tx
    .insert(eventHeads)
    .values({ workspaceId, epoch: least })
    .onConflictDoUpdate({
      target: eventHeads.workspaceId,
      set: { epoch: sql`greatest(${eventHeads.epoch} + 1, ${least}::int)` },
    });
}
