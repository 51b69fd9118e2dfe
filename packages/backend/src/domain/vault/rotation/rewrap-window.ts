import type { DataKeyId, WorkspaceId } from "@patchbay/shared";
import { and, asc, eq, gt, inArray, ne } from "drizzle-orm";
import type { KeyObject } from "node:crypto";
import { unwrapDataKey, wrapDataKey, type VaultDeps } from "../data-keys.ts";
import { dataKeys, workspaceKeys } from "../tables.ts";
import { activeWorkspaceKey, workspaceKeyById, type WorkspaceKey } from "../workspace-keys.ts";
import type { Window } from "./reseal-window.ts";

const ROWS_MAX = 100;

/** Wraps some data keys under the workspace's new key that an old one wraps. Nothing they sealed is touched. */
export async function rewrapWindow(deps: VaultDeps, workspaceId: WorkspaceId, after: string | null): Promise<Window> {
  const rows = await deps.withWorkspace(workspaceId, (tx) => {
    const old = tx
      .select({ id: workspaceKeys.id })
      .from(workspaceKeys)
      .where(and(eq(workspaceKeys.workspaceId, workspaceId), eq(workspaceKeys.state, "decrypt_only")));
    return tx
      .select()
      .from(dataKeys)
      .where(
        and(
          eq(dataKeys.workspaceId, workspaceId),
          ne(dataKeys.state, "destroyed"),
          inArray(dataKeys.workspaceKeyId, old),
          after === null ? undefined : gt(dataKeys.id, after as DataKeyId),
        ),
      )
      .orderBy(asc(dataKeys.id))
      .limit(ROWS_MAX);
  });
  let renewed = 0;
  let unopened = 0;
  for (const row of rows) {
    const key = openOrNull(await workspaceKeyById(deps, workspaceId, row.workspaceKeyId), row);
    if (key === null) unopened += 1;
    else if (await rewrap(deps, row, key)) renewed += 1;
  }
  return { last: rows.length < ROWS_MAX ? null : (rows.at(-1)?.id ?? null), found: rows.length, renewed, unopened };
}

type Row = typeof dataKeys.$inferSelect;

/** A row that was changed opens under no key: its values are lost to their readers as well. */
function openOrNull(former: WorkspaceKey, row: Row): KeyObject | null {
  try {
    return unwrapDataKey(former, row);
  } catch {
    return null;
  }
}

/** @returns false when the row changed meanwhile */
async function rewrap(deps: VaultDeps, row: Row, key: KeyObject): Promise<boolean> {
  const { workspaceId } = row;
  const wrapper = await activeWorkspaceKey(deps, workspaceId);
  const bytes = key.export();
  const changes = { ...row, workspaceKeyId: wrapper.id };
  const wrapped = wrapDataKey(wrapper, changes, bytes);
  bytes.fill(0);
  // Proves the new wrapping before the old one is given up.
  unwrapDataKey(wrapper, { ...changes, wrapped });
  const mine = and(
    eq(dataKeys.workspaceId, workspaceId),
    eq(dataKeys.id, row.id),
    eq(dataKeys.workspaceKeyId, row.workspaceKeyId),
    ne(dataKeys.state, "destroyed"),
  );
  const written = await deps.withWorkspace(workspaceId, (tx) =>
    tx.update(dataKeys).set({ workspaceKeyId: wrapper.id, wrapped }).where(mine).returning({ id: dataKeys.id }),
  );
  return written.length === 1;
}
