import type { WorkspaceId } from "@patchbay/shared";
import { eq, sql } from "drizzle-orm";
import { createWorkLoop, queueArrivals } from "../../../platform/lanes/index.ts";
import type { IngestDeps } from "../deps.ts";
import { inboxOutcomes } from "../tables.ts";
import { routeBatch, type RouteDeps } from "./route-batch.ts";
import type { ArrivalRef } from "./read-arrivals.ts";

/** Moves what was accepted on to those it concerns, until stopped. Any number may run beside each other. */
export interface Router {
  start(): void;
  stop(): Promise<void>;
  /** Routes what is due now. @returns how many arrivals were looked at */
  routeDue(): Promise<number>;
}

const ARRIVALS_MAX = 500;
/** A delivery that cannot be routed this often is kept in quarantine. */
const ATTEMPTS_MAX = 5;

export function createRouter(deps: RouteDeps & Pick<IngestDeps, "wake">): Router {
  const loop = createWorkLoop({
    wake: deps.wake,
    topic: "arrivals",
    log: deps.log,
    round: async () => ((await routeDue(deps)) > 0 ? "more" : "nothing"),
  });
  return { start: () => loop.start(), stop: () => loop.stop(), routeDue: () => routeDue(deps) };
}

async function routeDue(deps: RouteDeps): Promise<number> {
  const due = await findDue(deps);
  for (const [workspaceId, refs] of due) await routeWorkspace(deps, workspaceId, refs);
  return [...due.values()].reduce((sum, refs) => sum + refs.length, 0);
}

/** A batch that fails as a whole is tried one by one, so that a poisonous arrival stops nobody else. */
async function routeWorkspace(deps: RouteDeps, workspaceId: WorkspaceId, refs: readonly ArrivalRef[]): Promise<void> {
  try {
    const { arrivals } = await routeBatch(deps, workspaceId, refs);
    deps.log.debug({ workspaceId, arrivals }, "arrivals routed");
  } catch (error) {
    const [only, ...others] = refs;
    if (only === undefined) return;
    if (others.length === 0) return putOff(deps, workspaceId, only, error);
    for (const ref of refs) await routeWorkspace(deps, workspaceId, [ref]);
  }
}

async function findDue(deps: RouteDeps): Promise<ReadonlyMap<WorkspaceId, readonly ArrivalRef[]>> {
  const rows = await deps.worker.withQueue((tx) =>
    tx.execute<{ id: string; workspace_id: WorkspaceId; received_at: string }>(sql`
      select id, workspace_id, received_at from queue.arrivals
      where run_at <= ${deps.clock.now().toISOString()}::timestamptz order by run_at limit ${ARRIVALS_MAX}
      for update skip locked`),
  );
  const due = new Map<WorkspaceId, ArrivalRef[]>();
  for (const row of rows) {
    const refs = due.get(row.workspace_id) ?? [];
    refs.push({ id: row.id as ArrivalRef["id"], receivedAt: new Date(row.received_at) });
    due.set(row.workspace_id, refs);
  }
  return due;
}

/** Later again, further apart each time; in the end into quarantine, so that nothing is tried for ever. */
async function putOff(deps: RouteDeps, workspaceId: WorkspaceId, ref: ArrivalRef, error: unknown): Promise<void> {
  const now = deps.clock.now();
  await deps.worker.withWorkspace(workspaceId, async (tx) => {
    const [row] = await tx
      .update(queueArrivals)
      .set({
        attempts: sql`${queueArrivals.attempts} + 1`,
        runAt: sql`${now.toISOString()}::timestamptz + (interval '1 second' * power(4, ${queueArrivals.attempts}))`,
      })
      .where(eq(queueArrivals.id, ref.id))
      .returning({ attempts: queueArrivals.attempts });
    if (row === undefined) return;
    deps.log.error({ error, workspaceId, inboxId: ref.id, attempts: row.attempts }, "arrival not routed");
    if (row.attempts < ATTEMPTS_MAX) return;
    await tx
      .insert(inboxOutcomes)
      .values({
        workspaceId,
        inboxId: ref.id,
        receivedAt: ref.receivedAt,
        element: 0,
        status: "quarantined",
        problem: "routing_failed",
        routedAt: now,
      })
      .onConflictDoNothing();
    await tx.delete(queueArrivals).where(eq(queueArrivals.id, ref.id));
  });
}
