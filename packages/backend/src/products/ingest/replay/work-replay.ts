import type { ReplayId } from "@patchbay/shared";
import { and, eq, sql } from "drizzle-orm";
import type { Tx } from "../../../platform/db/index.ts";
import { LeaseLost, type ClaimedLane, type ItemOutcome, type LaneItem } from "../../../platform/lanes/index.ts";
import type { InboxSelection } from "../inbox/inbox-selection.ts";
import { chunkBySize } from "../router/chunk-by-size.ts";
import type { ArrivalRef } from "../router/read-arrivals.ts";
import { routeBatch, type RouteDeps } from "../router/route-batch.ts";
import { inboxReplays } from "../tables.ts";
import { scanInbox, type Scan } from "./scan-inbox.ts";
import type { ReplayRow } from "./to-replay.ts";

/** Deliveries of one turn of the lane. */
const PAGE_MAX = 200;
/** Live deliveries that wait this long for the router make replays wait. */
const BEHIND_MS = 1_000;

/**
 * Takes a replay on by one page, and comes again when its rate allows the next. Each part of a page is one transaction
 * with its count and the position reached: killed at any moment, it goes on where it stopped.
 */
export async function workReplay(deps: RouteDeps, lane: ClaimedLane): Promise<void> {
  for (const item of lane.items) {
    const row = await load(deps, lane);
    if (row === null || row.status !== "running") {
      await settle(deps, lane, item, "done");
      continue;
    }
    if (await isBehind(deps)) {
      await settle(deps, lane, item, { at: new Date(deps.clock.now().getTime() + BEHIND_MS) });
      continue;
    }
    await workPage(deps, lane, item, row);
  }
}

async function workPage(deps: RouteDeps, lane: ClaimedLane, item: LaneItem, row: ReplayRow): Promise<void> {
  const { workspaceId } = row;
  const startedMs = deps.clock.now().getTime();
  const scan = await deps.worker.withWorkspace(workspaceId, (tx) =>
    scanInbox(tx, { workspaceId, after: row.position, ...selectionOf(row) }, Math.min(PAGE_MAX, row.ratePerSecond)),
  );
  for (const chunk of chunkBySize(scan.refs)) {
    if (lane.signal.aborted) return;
    await routeChunk(deps, lane, row, chunk);
  }
  const pauseMs = Math.ceil((scan.refs.length / row.ratePerSecond) * 1_000);
  await finishPage(deps, lane, item, row, scan, new Date(startedMs + pauseMs));
}

/** A part that fails as a whole is tried one by one; what fails alone is counted and passed over. */
async function routeChunk(
  deps: RouteDeps,
  lane: ClaimedLane,
  row: ReplayRow,
  refs: readonly ArrivalRef[],
): Promise<void> {
  const last = refs.at(-1);
  if (last === undefined) return;
  try {
    await routeBatch(deps, row.workspaceId, refs, {
      again: { copiesToo: row.inboxIds !== null || row.itemStatus === "duplicate" },
      hold: async (tx) => {
        await lane.fence(tx);
        return new Set(refs.map((ref) => ref.id));
      },
      end: (tx, held, { unreadable }) =>
        advance(tx, row, last, { replayed: held.size - unreadable, skipped: unreadable, failed: 0 }),
    });
  } catch (error) {
    if (error instanceof LeaseLost || lane.signal.aborted) throw error;
    if (refs.length > 1) {
      for (const ref of refs) await routeChunk(deps, lane, row, [ref]);
      return;
    }
    deps.log.error(
      { error, workspaceId: row.workspaceId, inboxId: last.id, replayId: row.id },
      "delivery not replayed",
    );
    await deps.worker.withWorkspace(row.workspaceId, async (tx) => {
      await lane.fence(tx);
      await advance(tx, row, last, { replayed: 0, skipped: 0, failed: 1 });
    });
  }
}

async function advance(
  tx: Tx,
  row: ReplayRow,
  position: ArrivalRef,
  more: { readonly replayed: number; readonly skipped: number; readonly failed: number },
): Promise<void> {
  await tx
    .update(inboxReplays)
    .set({
      position: position.id,
      replayed: sql`${inboxReplays.replayed} + ${more.replayed}`,
      skipped: sql`${inboxReplays.skipped} + ${more.skipped}`,
      failed: sql`${inboxReplays.failed} + ${more.failed}`,
    })
    .where(isReplay(row));
}

async function finishPage(
  deps: RouteDeps,
  lane: ClaimedLane,
  item: LaneItem,
  row: ReplayRow,
  { next }: Scan,
  nextAt: Date,
): Promise<void> {
  await deps.worker.withWorkspace(row.workspaceId, async (tx) => {
    if (next === null) {
      await tx
        .update(inboxReplays)
        .set({ status: "completed", finishedAt: deps.clock.now() })
        .where(and(isReplay(row), eq(inboxReplays.status, "running")));
    } else {
      await tx.update(inboxReplays).set({ position: next }).where(isReplay(row));
    }
    await lane.settle(tx, [{ id: item.id, outcome: next === null ? "done" : { at: nextAt } }]);
  });
  if (next === null) deps.log.info({ workspaceId: row.workspaceId, replayId: row.id }, "inbox replay completed");
}

/** Live deliveries go first: as long as the router is behind with them, nothing is added. */
async function isBehind(deps: Pick<RouteDeps, "worker" | "clock">): Promise<boolean> {
  const since = new Date(deps.clock.now().getTime() - BEHIND_MS).toISOString();
  const rows = await deps.worker.withQueue((tx) =>
    tx.execute(sql`select 1 from queue.arrivals where run_at < ${since}::timestamptz and attempts = 0 limit 1`),
  );
  return rows.length > 0;
}

/** The lane is named by its replay. */
async function load(deps: Pick<RouteDeps, "worker">, { key }: ClaimedLane): Promise<ReplayRow | null> {
  const { workspaceId, laneId } = key;
  const [row] = await deps.worker.withWorkspace(workspaceId, (tx) =>
    tx
      .select()
      .from(inboxReplays)
      .where(and(eq(inboxReplays.workspaceId, workspaceId), eq(inboxReplays.id, laneId as ReplayId))),
  );
  return row ?? null;
}

async function settle(deps: RouteDeps, lane: ClaimedLane, item: LaneItem, outcome: ItemOutcome): Promise<void> {
  await deps.worker.withWorkspace(lane.key.workspaceId, (tx) => lane.settle(tx, [{ id: item.id, outcome }]));
}

function selectionOf(row: ReplayRow): InboxSelection {
  return {
    ids: row.inboxIds ?? undefined,
    provider: row.provider ?? undefined,
    sourceId: row.sourceId ?? undefined,
    connectionId: row.connectionId ?? undefined,
    status: row.itemStatus ?? undefined,
    since: row.since ?? undefined,
    until: row.until,
  };
}

function isReplay({ workspaceId, id }: ReplayRow) {
  return and(eq(inboxReplays.workspaceId, workspaceId), eq(inboxReplays.id, id));
}
