import type { TenantUid, WorkspaceId } from "@patchbay/shared";
import { and, eq, inArray, ne } from "drizzle-orm";
import type { Tx } from "../../../platform/db/index.ts";
import { newId } from "../../../platform/runtime/index.ts";
import type { Purpose } from "../data-keys.ts";
import { dataKeys, keyRotations, workspaceKeys } from "../tables.ts";
import type { RotationDeps, RotationKind } from "./deps.ts";

/**
 * Purposes whose values are sealed anew. Not `raw`: what was received is never rewritten, and each day has its own key
 * in any case. Not `audit`: the log is never rewritten, and its codes must stay checkable.
 */
export const ROTATED_PURPOSES: readonly Purpose[] = ["credential", "payload", "secret"];

export interface StartRotation {
  readonly workspaceId: WorkspaceId;
  readonly kind: RotationKind;
  /** Of this tenant alone; only for `data`. */
  readonly tenantUid?: TenantUid;
}

/**
 * Makes the workspace's keys old: from the commit on they open only, and whoever seals next makes new ones. A rotation
 * that is under way goes through everything once more. That it was asked for is entered even if no key was there.
 *
 * @returns how many keys became old
 */
export async function startRotation(
  deps: Pick<RotationDeps, "database" | "clock" | "journal">,
  input: StartRotation,
): Promise<number> {
  const { workspaceId, kind, tenantUid = null } = input;
  const enter = await deps.journal.open(workspaceId);
  return deps.database.withWorkspace(workspaceId, async (tx) => {
    const now = deps.clock.now();
    const retired = await retireKeys(tx, input, now);
    if (retired > 0) await beginOrRepeat(tx, input, { retired, now });
    await enter(tx, { is: "started", kind, tenantUid, retired });
    return retired;
  });
}

async function beginOrRepeat(
  tx: Tx,
  { workspaceId, kind }: StartRotation,
  { retired, now }: { readonly retired: number; readonly now: Date },
): Promise<void> {
  const mine = and(
    eq(keyRotations.workspaceId, workspaceId),
    eq(keyRotations.kind, kind),
    ne(keyRotations.state, "done"),
  );
  const [open] = await tx.select().from(keyRotations).where(mine).for("update");
  if (open === undefined) {
    await tx
      .insert(keyRotations)
      .values({ workspaceId, id: newId(), kind, state: "running", retired, passStartedAt: now, startedAt: now });
    return;
  }
  await tx
    .update(keyRotations)
    .set({
      state: "running",
      pass: open.pass + 1,
      passStartedAt: now,
      position: null,
      found: 0,
      retired: open.retired + retired,
      nextPassAt: null,
    })
    .where(mine);
}

async function retireKeys(tx: Tx, input: StartRotation, now: Date): Promise<number> {
  const old = { state: "decrypt_only", decryptOnlySince: now } as const;
  if (input.kind === "workspace_key") {
    const mine = and(eq(workspaceKeys.workspaceId, input.workspaceId), eq(workspaceKeys.state, "active"));
    return (await tx.update(workspaceKeys).set(old).where(mine).returning({ id: workspaceKeys.id })).length;
  }
  const mine = and(
    eq(dataKeys.workspaceId, input.workspaceId),
    eq(dataKeys.state, "active"),
    inArray(dataKeys.purpose, [...ROTATED_PURPOSES]),
    input.tenantUid === undefined ? undefined : eq(dataKeys.tenantUid, input.tenantUid),
  );
  return (await tx.update(dataKeys).set(old).where(mine).returning({ id: dataKeys.id })).length;
}
