import type { TenantUid, WorkspaceId } from "@patchbay/shared";
import type { RoleDatabase, Tx } from "../../../platform/db/index.ts";
import type { Clock } from "../../../platform/runtime/index.ts";
import type { VaultDeps } from "../data-keys.ts";
import { createKeyCache } from "../key-cache.ts";
import type { KekId, Keys } from "../keys.ts";
import type { SealedColumn } from "../sealed-column.ts";
import type { keyRotations } from "../tables.ts";

export interface RotationDeps {
  /** As the worker role, which may list workspaces. */
  readonly database: RoleDatabase;
  readonly keys: Keys;
  readonly clock: Clock;
  /** All that is sealed, anywhere. */
  readonly columns: readonly SealedColumn[];
  readonly journal: RotationJournal;
}

/** Where it is kept what was done to a workspace's keys, together with the doing: neither stands without the other. */
export interface RotationJournal {
  /** Call it before the transaction, and what it gives last in it. */
  open(workspaceId: WorkspaceId): Promise<(tx: Tx, act: RotationAct) => Promise<void>>;
}

export type RotationRow = typeof keyRotations.$inferSelect;
export type RotationKind = RotationRow["kind"];

export type RotationAct =
  | {
      readonly is: "started";
      readonly kind: RotationKind;
      /** Of this tenant alone. */
      readonly tenantUid: TenantUid | null;
      /** Keys that became old. */
      readonly retired: number;
    }
  | { readonly is: "finished"; readonly rotation: RotationRow }
  | { readonly is: "rewrapped"; readonly keys: number; readonly by: KekId };

/** Keys as the database has them now: the product's own caches may still give out the old ones. */
export function freshVaultDeps(deps: RotationDeps): VaultDeps {
  return {
    withWorkspace: deps.database.withWorkspace,
    keys: deps.keys,
    clock: deps.clock,
    workspaceKeyCache: createKeyCache(deps.clock, null),
    dataKeyCache: createKeyCache(deps.clock, null),
  };
}
