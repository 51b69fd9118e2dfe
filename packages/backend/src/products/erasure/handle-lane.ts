import { encodeId, type ErasureId } from "@patchbay/shared";
import { and, eq } from "drizzle-orm";
import { connectionsOnSharedGrants } from "../../domain/connections/index.ts";
import { LeaseLost, type ClaimedLane, type ItemOutcome, type LaneItem } from "../../platform/lanes/index.ts";
import type { ErasureDeps } from "./deps.ts";
import type { ErasureRow } from "./receipt.ts";
import { removeRows } from "./remove-rows.ts";
import { returnGrants } from "./return-grants.ts";
import { erasures } from "./tables.ts";

/** Then other erasures have their turn; this one comes back at once. */
const SLICE_MS = 20_000;
/** Between tries to tell a provider: 30 s, doubled each time, up to an hour. */
const TELL_AGAIN_MS = 30_000;
const TELL_AGAIN_MS_MAX = 3_600_000;
/** Looked at once more then, for what a process that hung when the tenant was erased wrote after it woke. */
const LOOK_AGAIN_MS = 3_600_000;

/**
 * Does what is left of an erasure. Killed at any moment, it goes on where it stopped: every batch is one transaction
 * with its count.
 */
export async function handleErasure(deps: ErasureDeps, lane: ClaimedLane): Promise<void> {
  for (const item of lane.items) {
    try {
      await work(deps, lane, item);
    } catch (error) {
      if (error instanceof LeaseLost) return;
      throw error;
    }
  }
}

async function work(deps: ErasureDeps, lane: ClaimedLane, item: LaneItem): Promise<void> {
  const { workspaceId } = lane.key;
  const before = await load(deps, lane);
  if (before === null) return settle(deps, lane, item, "done");
  if (before.completedAt === null) await unsubscribe(deps, before);
  const until = new Date(deps.clock.now().getTime() + SLICE_MS);
  const clean = await removeRows(deps, lane, before, until);
  if (lane.signal.aborted) return;
  if (!clean) return settle(deps, lane, item, { at: deps.clock.now() });
  if (before.completedAt === null) await complete(deps, lane, before);
  const told = await returnGrants(deps, lane, before);
  if (lane.signal.aborted) return;
  const after = await load(deps, lane);
  deps.log.info({ workspaceId, erasureId: encodeId("era", before.id), told }, "erasure worked");
  await settle(deps, lane, item, nextLook(deps, item, after, told));
}

function nextLook(deps: ErasureDeps, item: LaneItem, row: ErasureRow | null, told: boolean): ItemOutcome {
  const now = deps.clock.now().getTime();
  if (!told)
    return { at: new Date(now + Math.min(TELL_AGAIN_MS * 2 ** Math.min(item.attempts, 10), TELL_AGAIN_MS_MAX)) };
  const again = (row?.completedAt?.getTime() ?? now) + LOOK_AGAIN_MS;
  return now < again ? { at: new Date(again) } : "done";
}

/** The lane is named by its erasure. */
async function load(deps: ErasureDeps, { key }: ClaimedLane): Promise<ErasureRow | null> {
  const [row] = await deps.worker.withWorkspace(key.workspaceId, (tx) =>
    tx
      .select()
      .from(erasures)
      .where(and(eq(erasures.workspaceId, key.workspaceId), eq(erasures.id, key.laneId as ErasureId))),
  );
  return row ?? null;
}

/**
 * A grant that others use is not given back, and with it the provider keeps this tenant's webhooks: they are taken
 * back one by one, as far as the provider can be reached now.
 */
async function unsubscribe(deps: ErasureDeps, { workspaceId, tenantUid }: ErasureRow): Promise<void> {
  const ids = await deps.worker.withWorkspace(workspaceId, (tx) =>
    connectionsOnSharedGrants(tx, { workspaceId, tenantUid }),
  );
  for (const connectionId of ids) await deps.ingest.removeSubscriptions({ workspaceId, connectionId });
}

async function complete(deps: ErasureDeps, lane: ClaimedLane, erasure: ErasureRow): Promise<void> {
  const { workspaceId, id, tenantUid } = erasure;
  const audit = await deps.audit.writer(workspaceId);
  await deps.worker.withWorkspace(workspaceId, async (tx) => {
    await lane.fence(tx);
    const completedAt = deps.clock.now();
    await tx
      .update(erasures)
      .set({ status: "completed", completedAt })
      .where(and(eq(erasures.workspaceId, workspaceId), eq(erasures.id, id)));
    await audit.append(tx, {
      actor: { kind: "system", id: null },
      action: "tenant.erased",
      target: { type: "erasure", id: encodeId("era", id) },
      tenantUid,
    });
  });
}

async function settle(deps: ErasureDeps, lane: ClaimedLane, item: LaneItem, outcome: ItemOutcome): Promise<void> {
  await deps.worker.withWorkspace(lane.key.workspaceId, (tx) => lane.settle(tx, [{ id: item.id, outcome }]));
}
