import type { RoleDatabase } from "../../../platform/db/index.ts";
import type { Clock } from "../../../platform/runtime/index.ts";
import type { VaultDeps } from "../data-keys.ts";
import { createKeyCache } from "../key-cache.ts";
import type { Keys } from "../keys.ts";
import type { SealedColumn } from "../sealed-column.ts";

export interface RotationDeps {
  /** As the worker role, which may list workspaces. */
  readonly database: RoleDatabase;
  readonly keys: Keys;
  readonly clock: Clock;
  /** All that is sealed, anywhere. */
  readonly columns: readonly SealedColumn[];
}

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
