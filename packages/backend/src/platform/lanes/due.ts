import type { WorkspaceId } from "@patchbay/shared";
import { and, eq, inArray, lte } from "drizzle-orm";
import type { RoleDatabase, Tx, WithQueue } from "../db/index.ts";
import type { Logger } from "../observability/index.ts";
import { newId, type Clock } from "../runtime/index.ts";
import { queueDue, queueWorkspaces } from "./tables.ts";

/** What sweeps look after; the triggers of `0015_due.sql` name them too. */
export const DUE_TASKS = ["runs", "authorizations", "subscriptions", "fates", "credentials", "keys"] as const;
export type DueTask = (typeof DUE_TASKS)[number];

export interface DueSweep {
  readonly task: DueTask;
  /** Does what is due in a workspace. Safe to repeat. */
  readonly visit: (workspaceId: WorkspaceId) => Promise<unknown>;
  /**
   * When to look again if nothing changes until then; `null`: not before something does. May be in the past, when more
   * is due than one visit did.
   */
  readonly nextLook: (tx: Tx, workspaceId: WorkspaceId) => Promise<Date | null>;
}

interface Deps {
  /** As `patchbay_worker`. */
  readonly worker: Pick<RoleDatabase, "withWorkspace" | "withQueue">;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Workspaces of one sweep, and their marks; the next sweep takes the rest. */
const MARKS_MAX = 10_000;
/** Ids in one statement. */
const IDS_MAX = 1_000;

/**
 * Visits the workspaces in which something changed, or falls due, one after the other; trouble in one does not keep the
 * others waiting, and has it visited again.
 *
 * Marks are read before the visit and deleted after it: what is committed meanwhile is marked anew, and seen next time.
 */
export async function sweepDue(deps: Deps, sweep: DueSweep): Promise<void> {
  for (const [workspaceId, marks] of await readMarks(deps, sweep.task)) {
    const again = { ...sweep, nextLook: async () => deps.clock.now() };
    const told = (error: unknown) => deps.log.error({ error, workspaceId, task: sweep.task }, "chore failed");
    try {
      await sweep.visit(workspaceId);
      await replaceMarks(deps, sweep, workspaceId, marks);
    } catch (error) {
      told(error);
      await replaceMarks(deps, again, workspaceId, marks).catch(told);
    }
  }
}

/** Has every workspace looked at for everything, as if something had changed. */
export async function markAllDue(withQueue: WithQueue, now: Date): Promise<void> {
  await withQueue(async (tx) => {
    const workspaces = await tx.select({ id: queueWorkspaces.workspaceId }).from(queueWorkspaces);
    const rows = workspaces.flatMap(({ id }) =>
      DUE_TASKS.map((task) => ({ id: newId(), workspaceId: id, task, dueAt: now })),
    );
    for (const chunk of chunks(rows)) await tx.insert(queueDue).values(chunk);
  });
}

/** All marks, those for later too, of workspaces of which one is due. */
async function readMarks({ worker, clock }: Deps, task: DueTask): Promise<ReadonlyMap<WorkspaceId, readonly string[]>> {
  const rows = await worker.withQueue((tx) => {
    const due = tx
      .select({ id: queueDue.workspaceId })
      .from(queueDue)
      .where(and(eq(queueDue.task, task), lte(queueDue.dueAt, clock.now())));
    return tx
      .select({ id: queueDue.id, workspaceId: queueDue.workspaceId })
      .from(queueDue)
      .where(and(eq(queueDue.task, task), inArray(queueDue.workspaceId, due)))
      .orderBy(queueDue.workspaceId)
      .limit(MARKS_MAX);
  });
  return new Map(
    [...Map.groupBy(rows, (row) => row.workspaceId)].map(([id, marks]) => [id, marks.map((each) => each.id)]),
  );
}

async function replaceMarks(
  { worker }: Deps,
  { task, nextLook }: DueSweep,
  workspaceId: WorkspaceId,
  marks: readonly string[],
): Promise<void> {
  await worker.withWorkspace(workspaceId, async (tx) => {
    const dueAt = await nextLook(tx, workspaceId);
    for (const ids of chunks(marks)) await tx.delete(queueDue).where(inArray(queueDue.id, ids));
    if (dueAt !== null) await tx.insert(queueDue).values({ id: newId(), workspaceId, task, dueAt });
  });
}

function chunks<Row>(rows: readonly Row[]): Row[][] {
  return Array.from({ length: Math.ceil(rows.length / IDS_MAX) }, (_, at) =>
    rows.slice(at * IDS_MAX, (at + 1) * IDS_MAX),
  );
}
