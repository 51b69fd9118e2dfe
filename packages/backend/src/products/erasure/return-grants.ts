import type { GrantId } from "@patchbay/shared";
import { and, eq } from "drizzle-orm";
import { deleteEndedGrants, grants } from "../../domain/connections/index.ts";
import { countOf, sumRows } from "../../platform/db/index.ts";
import type { ClaimedLane } from "../../platform/lanes/index.ts";
import type { ReturnedGrant } from "../connect/index.ts";
import type { ErasureDeps } from "./deps.ts";
import type { ErasureRow } from "./receipt.ts";
import { erasures } from "./tables.ts";

/** Then tokens that could not be given back are destroyed all the same. */
const TELLING_MS_MAX = 7 * 86_400_000;

type Deps = Pick<ErasureDeps, "worker" | "connect" | "clock" | "log">;

/**
 * Gives back what the tenant used and nobody else uses. Nothing else waits for a provider that cannot be told.
 *
 * @returns whether none is left to be given back
 */
export async function returnGrants(deps: Deps, lane: ClaimedLane, erasure: ErasureRow): Promise<boolean> {
  const { workspaceId } = erasure;
  const anyway = deps.clock.now().getTime() - erasure.requestedAt.getTime() >= TELLING_MS_MAX;
  let settled = true;
  for (const grantId of erasure.openGrants) {
    if (lane.signal.aborted) return false;
    const result = await deps.connect.returnGrant({ workspaceId, grantId }, anyway);
    if (result === "kept") settled = false;
    else await note(deps, lane, erasure, grantId, result);
    deps.log.info({ workspaceId, grantId, result }, "grant of an erased tenant");
  }
  return settled;
}

/** A worker that was cut off between the grant's end and this comes back, finds it ended, and counts it then. */
async function note(
  deps: Deps,
  lane: ClaimedLane,
  { workspaceId, id }: ErasureRow,
  grantId: GrantId,
  result: Exclude<ReturnedGrant, "kept">,
): Promise<void> {
  await deps.worker.withWorkspace(workspaceId, async (tx) => {
    await lane.fence(tx);
    const mine = and(eq(erasures.workspaceId, workspaceId), eq(erasures.id, id));
    const [row] = await tx.select().from(erasures).where(mine);
    if (row === undefined) throw new Error("an erasure without its row");
    const rows = await deleteEndedGrants(tx, { workspaceId, grantIds: [grantId] });
    await tx
      .update(erasures)
      .set({
        openGrants: row.openGrants.filter((each) => each !== grantId),
        grantsShared: row.grantsShared + (result === "shared" ? 1 : 0),
        grantsDestroyed: row.grantsDestroyed + (result === "shared" ? 0 : 1),
        grantsUntold: row.grantsUntold + (result === "untold" ? 1 : 0),
        rowsRemoved: sumRows(row.rowsRemoved, countOf(grants, rows)),
      })
      .where(mine);
  });
}
