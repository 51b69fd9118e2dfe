import type { WorkspaceId } from "@patchbay/shared";
import { and, eq, inArray, lt, max, ne, sql } from "drizzle-orm";
import type { Tx } from "../../../platform/db/index.ts";
import type { VaultDeps } from "../data-keys.ts";
import { nameOfColumn } from "../sealed-column.ts";
import { dataKeys, keyRotations, workspaceKeys, type RotationPosition } from "../tables.ts";
import { freshVaultDeps, type RotationDeps, type RotationRow } from "./deps.ts";
import { resealWindow, type Window } from "./reseal-window.ts";
import { rewrapWindow } from "./rewrap-window.ts";
import { ROTATED_PURPOSES } from "./start-rotation.ts";

/**
 * How long after it became old a key may still be used: processes remember keys for 5 minutes, with their key service
 * out of reach for 15 more, and what they seal may take its time to be committed. Only a pass that began later and met
 * nothing proves that a key is needed no more.
 */
export const GRACE_MS = 30 * 60_000;
/** After a pass that met values it could not renew. */
const REPEAT_MS = 60 * 60_000;
/** In one go, so that other workspaces get their turn. */
const STEPS_MAX = 2_000;

export interface Worked {
  /** Rotations that came to their end here. */
  readonly ended: readonly RotationRow[];
  /** Rotations whose pass ended here and that cannot end before values are mended or gone. */
  readonly stuck: readonly RotationRow[];
  /** Whether something is left to do right now. */
  readonly more: boolean;
}

/**
 * Takes a workspace's open rotations as far as they get now. Killed anywhere, it goes on where it was; several at once
 * do no harm: values are replaced only if unchanged, and the position moves only from where one found it.
 *
 * @param onStep is told after each step
 */
export async function workRotations(
  deps: RotationDeps,
  workspaceId: WorkspaceId,
  onStep: (rotation: RotationRow) => void = () => {},
): Promise<Worked> {
  const ended: RotationRow[] = [];
  const stuck: RotationRow[] = [];
  let vault = freshVaultDeps(deps);
  for (let steps = 0; steps < STEPS_MAX; steps++) {
    const due = await nextDue(deps, workspaceId);
    if (due === null) return { ended, stuck, more: false };
    const after = await step(deps, vault, due);
    // Somebody else moved it on, perhaps by making keys old that are remembered here as new.
    if (after === null) vault = freshVaultDeps(deps);
    else onStep(after);
    if (after?.state === "done") ended.push(after);
    if (due.state === "running" && after?.state === "waiting" && unopened(after) > 0) stuck.push(after);
  }
  return { ended, stuck, more: true };
}

/** When a workspace's rotations have to be worked on again: at the next sweep, as long as one is open. */
export async function nextRotationWork(
  deps: Pick<RotationDeps, "clock">,
  tx: Tx,
  workspaceId: WorkspaceId,
): Promise<Date | null> {
  const [open] = await tx
    .select({ id: keyRotations.id })
    .from(keyRotations)
    .where(and(eq(keyRotations.workspaceId, workspaceId), ne(keyRotations.state, "done")))
    .limit(1);
  return open === undefined ? null : deps.clock.now();
}

/** What the last pass, or the one under way, could not open. */
export function unopened({ position }: RotationRow): number {
  return position?.unopened ?? 0;
}

async function nextDue(deps: RotationDeps, workspaceId: WorkspaceId): Promise<RotationRow | null> {
  const open = await deps.database.withWorkspace(workspaceId, (tx) =>
    tx
      .select()
      .from(keyRotations)
      .where(and(eq(keyRotations.workspaceId, workspaceId), ne(keyRotations.state, "done"))),
  );
  const now = deps.clock.now();
  return open.find((row) => row.nextPassAt === null || row.nextPassAt <= now) ?? null;
}

/** @returns the row as it is now; `null` when somebody else moved it on */
async function step(deps: RotationDeps, vault: VaultDeps, row: RotationRow): Promise<RotationRow | null> {
  if (row.state === "waiting") return beginPass(deps, row);
  const { window, at, next } = await workWindow(deps, vault, row);
  const found = row.found + window.found;
  const position = { ...(next ?? { column: at, after: null }), unopened: unopened(row) + window.unopened };
  const enter = next === null ? await deps.journal.open(row.workspaceId) : null;
  return deps.database.withWorkspace(row.workspaceId, async (tx) => {
    const moved = await move(tx, row, { found, position, renewed: sql`${keyRotations.renewed} + ${window.renewed}` });
    if (moved === null || enter === null) return moved;
    const ended = await endPass(deps, tx, moved);
    if (ended?.state === "done") await enter(tx, { is: "finished", rotation: ended });
    return ended;
  });
}

function beginPass(deps: RotationDeps, row: RotationRow): Promise<RotationRow | null> {
  const passStartedAt = deps.clock.now();
  return deps.database.withWorkspace(row.workspaceId, (tx) =>
    move(tx, row, { state: "running", pass: row.pass + 1, passStartedAt, position: null, found: 0, nextPassAt: null }),
  );
}

/** One window of the column where the rotation stands. @returns also the next position; `null` at the end of the pass */
async function workWindow(
  deps: RotationDeps,
  vault: VaultDeps,
  row: RotationRow,
): Promise<{ readonly window: Window; readonly at: string; readonly next: RotationPosition | null }> {
  const after = row.position?.after ?? null;
  if (row.kind === "workspace_key") {
    const window = await rewrapWindow(vault, row.workspaceId, after);
    const column = "data_keys.wrapped";
    return { window, at: column, next: window.last === null ? null : { column, after: window.last } };
  }
  // A column that another version of the product declared: from the start again.
  const at = Math.max(
    0,
    deps.columns.findIndex((column) => nameOfColumn(column) === row.position?.column),
  );
  const column = deps.columns[at];
  if (column === undefined) throw new Error("no sealed columns are declared");
  const window = await resealWindow(vault, row.workspaceId, column, after);
  const name = nameOfColumn(column);
  if (window.last !== null) return { window, at: name, next: { column: name, after: window.last } };
  const following = deps.columns[at + 1];
  const next = following === undefined ? null : { column: nameOfColumn(following), after: null };
  return { window, at: name, next };
}

/** After the last row: what was met no more may be destroyed, once nobody can hold it any longer. */
async function endPass(deps: RotationDeps, tx: Tx, row: RotationRow): Promise<RotationRow | null> {
  const now = deps.clock.now();
  const newest = await newestOldKey(tx, row);
  const free = newest === null ? row.passStartedAt : new Date(newest.getTime() + GRACE_MS);
  if (row.found === 0 && row.passStartedAt >= free) {
    const destroyed = row.destroyed + (await destroyOldKeys(tx, row, now));
    return move(tx, row, { state: "done", destroyed, finishedAt: now });
  }
  const nextPassAt = row.passStartedAt < free ? free : new Date(now.getTime() + REPEAT_MS);
  return move(tx, row, { state: "waiting", nextPassAt });
}

async function newestOldKey(tx: Tx, { workspaceId, kind }: RotationRow): Promise<Date | null> {
  const table = kind === "data" ? dataKeys : workspaceKeys;
  const rotated = kind === "data" ? inArray(dataKeys.purpose, [...ROTATED_PURPOSES]) : undefined;
  const [row] = await tx
    .select({ since: max(table.decryptOnlySince) })
    .from(table)
    .where(and(eq(table.workspaceId, workspaceId), eq(table.state, "decrypt_only"), rotated));
  return row?.since ?? null;
}

async function destroyOldKeys(tx: Tx, { workspaceId, kind, passStartedAt }: RotationRow, now: Date): Promise<number> {
  const gone = { state: "destroyed", wrapped: Buffer.alloc(0), keyCheck: Buffer.alloc(0) } as const;
  if (kind === "workspace_key") {
    const old = and(
      eq(workspaceKeys.workspaceId, workspaceId),
      eq(workspaceKeys.state, "decrypt_only"),
      lt(workspaceKeys.decryptOnlySince, passStartedAt),
    );
    return (await tx.update(workspaceKeys).set(gone).where(old).returning({ id: workspaceKeys.id })).length;
  }
  const old = and(
    eq(dataKeys.workspaceId, workspaceId),
    eq(dataKeys.state, "decrypt_only"),
    inArray(dataKeys.purpose, [...ROTATED_PURPOSES]),
    lt(dataKeys.decryptOnlySince, passStartedAt),
  );
  const destroyed = await tx
    .update(dataKeys)
    .set({ ...gone, destroyedAt: now })
    .where(old)
    .returning({ id: dataKeys.id });
  return destroyed.length;
}

/** Changes the row if it still stands where `row` does. */
async function move(tx: Tx, row: RotationRow, changes: Record<string, unknown>): Promise<RotationRow | null> {
  const position = row.position === null ? null : JSON.stringify(row.position);
  const [moved] = await tx
    .update(keyRotations)
    .set(changes)
    .where(
      and(
        eq(keyRotations.workspaceId, row.workspaceId),
        eq(keyRotations.id, row.id),
        eq(keyRotations.state, row.state),
        eq(keyRotations.pass, row.pass),
        sql`${keyRotations.position} is not distinct from ${position}::jsonb`,
      ),
    )
    .returning();
  return moved ?? null;
}
