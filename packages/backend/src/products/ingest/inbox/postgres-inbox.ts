import type { InboxId, WorkspaceId } from "@patchbay/shared";
import { eq, sql } from "drizzle-orm";
import { arrayParam, isOneOf } from "../../../platform/db/index.ts";
import { queueArrivals } from "../../../platform/lanes/index.ts";
import type { IngestDeps } from "../deps.ts";
import type { SizedArrivalRef } from "../router/read-arrivals.ts";
import { appendInbox, type InboxRow } from "./append-inbox.ts";
import type { InboxPort } from "./inbox-port.ts";
import { createInboxWriter } from "./inbox-writer.ts";

/** The inbox in the workspace's own database: rows in `inbox`, one `queue.arrivals` each until it is routed. */
export function createPostgresInbox(
  deps: Pick<IngestDeps, "worker" | "ingest" | "clock" | "wake" | "openInboxDays">,
): InboxPort {
  const writer = createInboxWriter<InboxRow>(async (rows) => {
    await appendOpening(deps, rows);
    deps.wake.poke("arrivals");
  });
  return {
    append: (row) => writer.append(row),
    due: (max) => findDue(deps, max),
    async hold(tx, refs) {
      const ids = refs.map((ref) => ref.id);
      const rows = await tx.execute<{ id: InboxId }>(sql`
        select id from queue.arrivals where id = any(${arrayParam(ids, "uuid")}) order by id for update skip locked`);
      return new Set([...rows].map((row) => row.id));
    },
    async end(tx, held) {
      await tx.delete(queueArrivals).where(isOneOf(queueArrivals.id, [...held]));
    },
    async putOff(tx, ref, now) {
      const [row] = await tx
        .update(queueArrivals)
        .set({
          attempts: sql`${queueArrivals.attempts} + 1`,
          runAt: sql`${now.toISOString()}::timestamptz + (interval '1 second' * power(4, ${queueArrivals.attempts}))`,
        })
        .where(eq(queueArrivals.id, ref.id))
        .returning({ attempts: queueArrivals.attempts });
      return row?.attempts ?? null;
    },
  };
}

/** A day that nobody made a partition for, since a clock jumped, gets one now. */
async function appendOpening(deps: Pick<IngestDeps, "ingest" | "openInboxDays">, rows: readonly InboxRow[]) {
  try {
    await appendInbox(deps.ingest, rows);
  } catch (error) {
    if (!isPartitionMissing(error)) throw error;
    await deps.openInboxDays(rows.map((row) => row.receivedAt));
    await appendInbox(deps.ingest, rows);
  }
}

/** What was not tried yet is due, whatever the clocks of the machines say; what failed waits for its time. */
async function findDue(
  deps: Pick<IngestDeps, "worker" | "clock">,
  max: number,
): Promise<ReadonlyMap<WorkspaceId, readonly SizedArrivalRef[]>> {
  const rows = await deps.worker.withQueue((tx) =>
    tx.execute<{ id: InboxId; workspace_id: WorkspaceId; received_at: string; body_bytes: number }>(sql`
      select id, workspace_id, received_at, body_bytes from queue.arrivals
      where run_at <= ${deps.clock.now().toISOString()}::timestamptz or attempts = 0
      order by run_at limit ${max}`),
  );
  const due = new Map<WorkspaceId, SizedArrivalRef[]>();
  for (const row of rows) {
    const refs = due.get(row.workspace_id) ?? [];
    refs.push({ id: row.id, receivedAt: new Date(row.received_at), bytes: row.body_bytes });
    due.set(row.workspace_id, refs);
  }
  return due;
}

/** Depth of `cause` chains looked through. */
const CAUSES_MAX = 5;

/** Postgres tells it as a violated check, with a text that no setting of ours translates: `lc_messages` may. */
function isPartitionMissing(error: unknown): boolean {
  let current = error;
  for (let depth = 0; depth < CAUSES_MAX && current instanceof Error; depth++) {
    // The inbox has no checks of its own.
    if ("code" in current && current.code === "23514") return true;
    current = current.cause;
  }
  return false;
}
