import type { TenantUid, WorkspaceId } from "@patchbay/shared";
import { and, eq, ne } from "drizzle-orm";
import type { NIL_UUID, Tx } from "../../platform/db/index.ts";
import type { Purpose, VaultDeps } from "./data-keys.ts";
import { dataKeys } from "./tables.ts";

/** Which keys to destroy: of a tenant, a purpose, a scope, in any combination; at least one is given. */
export interface DestroyKeys {
  readonly workspaceId: WorkspaceId;
  readonly tenantUid?: TenantUid | typeof NIL_UUID;
  readonly purpose?: Purpose;
  readonly scope?: string;
}

/**
 * Crypto-shreds: the wrapped keys are overwritten, the rows stay as tombstones. From the commit on the values are
 * unreadable in the live database; backups hold wrapped keys until they expire, and a process that opened a value may
 * hold its key in memory for up to five minutes.
 *
 * @returns how many keys
 */
export async function destroyKeys(deps: VaultDeps, tx: Tx, input: DestroyKeys): Promise<number> {
  if (input.tenantUid === undefined && input.purpose === undefined && input.scope === undefined) {
    throw new Error("destroyKeys needs a tenant, a purpose or a scope");
  }
  const rows = await tx
    .update(dataKeys)
    .set({ state: "destroyed", wrapped: Buffer.alloc(0), keyCheck: Buffer.alloc(0), destroyedAt: deps.clock.now() })
    .where(
      and(
        eq(dataKeys.workspaceId, input.workspaceId),
        ne(dataKeys.state, "destroyed"),
        input.tenantUid === undefined ? undefined : eq(dataKeys.tenantUid, input.tenantUid as TenantUid),
        input.purpose === undefined ? undefined : eq(dataKeys.purpose, input.purpose),
        input.scope === undefined ? undefined : eq(dataKeys.scope, input.scope),
      ),
    )
    .returning({ id: dataKeys.id });
  const destroyed = new Set(rows.map((row) => row.id));
  deps.dataKeyCache.forget((key) => destroyed.has(key.id));
  return rows.length;
}
