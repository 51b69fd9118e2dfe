import { and, eq } from "drizzle-orm";
import { forgetTenantConnections } from "../../domain/connections/index.ts";
import { forgetTenantRecords } from "../../domain/records/index.ts";
import { forgetTenantKeys } from "../../domain/vault/index.ts";
import { sumRows, type ForgetTenant, type RemovedRows, type Tx } from "../../platform/db/index.ts";
import { forgetTenantWork, type ClaimedLane } from "../../platform/lanes/index.ts";
import { forgetTenantVisits } from "../connect/index.ts";
import { forgetTenantEvents } from "../delivery/index.ts";
import { forgetTenantSyncs, shredSources } from "../ingest/index.ts";
import type { ErasureDeps } from "./deps.ts";
import type { ErasureRow } from "./receipt.ts";
import { erasures } from "./tables.ts";

/** Rows of one table in one transaction. */
const BATCH = 500;

/**
 * In this order. Work first: whoever holds one of the tenant's lanes writes nothing afterwards. Connections after what
 * hangs on them, keys after what they sealed.
 */
const STEPS: readonly ForgetTenant[] = [
  forgetTenantWork,
  forgetTenantEvents,
  forgetTenantRecords,
  forgetTenantSyncs,
  forgetTenantVisits,
  forgetTenantConnections,
  forgetTenantKeys,
];

type Deps = Pick<ErasureDeps, "worker" | "vault" | "clock">;

/**
 * Removes rows of the tenant batch by batch, each together with its count, until a whole pass finds none: what was
 * being written when the tenant was erased may come in behind the first.
 *
 * @param until when to stop and go on another time
 * @returns whether none is left
 */
export async function removeRows(deps: Deps, lane: ClaimedLane, erasure: ErasureRow, until: Date): Promise<boolean> {
  for (let clean = false; !clean;) {
    clean = true;
    await shredAgain(deps, lane, erasure);
    for (const step of STEPS) {
      while (await removeBatch(deps, lane, erasure, step)) {
        clean = false;
        if (lane.signal.aborted || deps.clock.now() >= until) return false;
      }
    }
  }
  return true;
}

/** @returns whether there was anything to remove */
async function removeBatch(
  deps: Deps,
  lane: ClaimedLane,
  { workspaceId, id, tenantUid }: ErasureRow,
  step: ForgetTenant,
): Promise<boolean> {
  return deps.worker.withWorkspace(workspaceId, async (tx) => {
    await lane.fence(tx);
    const removed = await step(tx, { workspaceId, tenantUid }, BATCH);
    if (Object.keys(removed).length === 0) return false;
    await note(tx, { workspaceId, id }, removed);
    return true;
  });
}

/** A process that had not heard of the erasure may have made the tenant a key, or taken a delivery in. */
async function shredAgain(deps: Deps, lane: ClaimedLane, erasure: ErasureRow): Promise<void> {
  const { workspaceId, tenantUid, sources: sourceIds } = erasure;
  await deps.worker.withWorkspace(workspaceId, async (tx) => {
    await lane.fence(tx);
    const own = await deps.vault.destroyKeys(tx, { workspaceId, tenantUid });
    const ofSources = await shredSources(tx, deps, { workspaceId, sourceIds });
    if (own + ofSources > 0) await note(tx, erasure, {}, own + ofSources);
  });
}

/** The lane's fence was taken before: nobody else writes the row. */
async function note(
  tx: Tx,
  { workspaceId, id }: Pick<ErasureRow, "workspaceId" | "id">,
  removed: RemovedRows,
  keys = 0,
): Promise<void> {
  const mine = and(eq(erasures.workspaceId, workspaceId), eq(erasures.id, id));
  const [row] = await tx.select().from(erasures).where(mine);
  if (row === undefined) throw new Error("an erasure without its row");
  await tx
    .update(erasures)
    .set({ rowsRemoved: sumRows(row.rowsRemoved, removed), keysDestroyed: row.keysDestroyed + keys })
    .where(mine);
}
