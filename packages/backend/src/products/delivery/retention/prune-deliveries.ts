import type { DeliveryId, EndpointId, WorkspaceId } from "@patchbay/shared";
import { and, asc, eq, gt, inArray, lt, sql } from "drizzle-orm";
import { isOneOf, type Tx } from "../../../platform/db/index.ts";
import { deleteDeliveries } from "../delete-deliveries.ts";
import { firstIdAt } from "../first-id-at.ts";
import { deliveries, endpoints } from "../tables.ts";
import type { PruneDeps } from "./prune-history.ts";

interface Input {
  readonly workspaceId: WorkspaceId;
  readonly endedBefore: Date;
}

const BATCH_MAX = 1_000;
/** Of one call and status: a million deliveries. The rest is for the next hour. */
const BATCHES_MAX = 1_000;
/** Nothing is done about these any more, unless by hand. */
const SETTLED = ["delivered", "skipped"] as const;

/** Forgets deliveries that are settled, with their attempts. @returns how many deliveries */
export async function pruneDeliveries(deps: PruneDeps, input: Input): Promise<number> {
  let pruned = 0;
  for (const status of SETTLED) {
    let after: DeliveryId | null = null;
    for (let batch = 0; batch < BATCHES_MAX; batch++) {
      const done: Batch = await deps.worker.withWorkspace(input.workspaceId, (tx) =>
        pruneBatch(tx, { ...input, status, after }),
      );
      pruned += done.pruned;
      if (done.last === null) break;
      after = done.last;
    }
  }
  return pruned;
}

interface Batch {
  readonly pruned: number;
  /** The last that was looked at; `null`: there are no more. */
  readonly last: DeliveryId | null;
}

/** Each of them with its endpoint's note of how far history is gone: `missing` replays look behind that alone. */
async function pruneBatch(
  tx: Tx,
  input: Input & { readonly status: (typeof SETTLED)[number]; readonly after: DeliveryId | null },
): Promise<Batch> {
  const { workspaceId, status, after } = input;
  const old = and(
    eq(deliveries.workspaceId, workspaceId),
    eq(deliveries.status, status),
    // None ended before it was made: the index has them by id, hence by time.
    sql`${deliveries.id} < ${firstIdAt(input.endedBefore)}::uuid`,
    lt(deliveries.finishedAt, input.endedBefore),
    // A replay that is still told of counts its deliveries.
    sql`not exists (select 1 from delivery_replays r where r.workspace_id = ${workspaceId} and r.id = ${deliveries.replayId})`,
  );
  const found = await tx
    .select({ id: deliveries.id, endpointId: deliveries.endpointId })
    .from(deliveries)
    .where(and(old, after === null ? undefined : gt(deliveries.id, after)))
    .orderBy(asc(deliveries.id))
    .limit(BATCH_MAX);
  if (found.length === 0) return { pruned: 0, last: null };

  await lockEndpoints(tx, workspaceId, new Set(found.map((row) => row.endpointId)));
  const ids = found.map((row) => row.id);
  const locked = await tx
    .select({ id: deliveries.id, endpointId: deliveries.endpointId, position: deliveries.position })
    .from(deliveries)
    // Again: one of them may have been sent once more meanwhile.
    .where(and(old, isOneOf(deliveries.id, ids)))
    .orderBy(asc(deliveries.id))
    .for("update");
  for (const [endpointId, rows] of Map.groupBy(locked, (row) => row.endpointId)) {
    await noteForgotten(tx, workspaceId, endpointId, Math.max(...rows.map((row) => row.position ?? 0)));
  }
  const gone = await deleteDeliveries(
    tx,
    workspaceId,
    locked.map((row) => row.id),
  );
  return { pruned: gone.deliveries, last: found.length < BATCH_MAX ? null : (ids.at(-1) ?? null) };
}

/** Before the deliveries, as everywhere. Replays that look for what is missing wait, deliveries being made do not. */
async function lockEndpoints(tx: Tx, workspaceId: WorkspaceId, ids: ReadonlySet<EndpointId>): Promise<void> {
  await tx
    .select({ id: endpoints.id })
    .from(endpoints)
    .where(and(eq(endpoints.workspaceId, workspaceId), inArray(endpoints.id, [...ids])))
    .orderBy(asc(endpoints.id))
    .for("no key update");
}

async function noteForgotten(tx: Tx, workspaceId: WorkspaceId, id: EndpointId, position: number): Promise<void> {
  await tx
    .update(endpoints)
    .set({ forgottenPosition: position })
    .where(
      and(eq(endpoints.workspaceId, workspaceId), eq(endpoints.id, id), lt(endpoints.forgottenPosition, position)),
    );
}
