import type { DataKeyId, TenantUid, WorkspaceId } from "@patchbay/shared";
import { and, asc, eq, inArray, ne, sql } from "drizzle-orm";
import type { NIL_UUID, Tx } from "../../platform/db/index.ts";
import type { Purpose, VaultDeps } from "./data-keys.ts";
import { tellDestroyed } from "./destroyed-keys.ts";
import { dataKeys } from "./tables.ts";

/** Which keys to destroy: of a tenant, a purpose, a scope, by id, in any combination; at least one is given. */
export interface DestroyKeys {
  readonly workspaceId: WorkspaceId;
  readonly tenantUid?: TenantUid | typeof NIL_UUID;
  readonly purpose?: Purpose;
  readonly scope?: string;
  /** All scopes that begin with this, such as every day of a source. */
  readonly scopePrefix?: string;
  readonly ids?: readonly DataKeyId[];
}

/**
 * Crypto-shreds: the wrapped keys are overwritten, the rows stay as tombstones. From the commit on the values are
 * unreadable in the live database; backups hold wrapped keys until they expire. Other processes are told with the
 * commit to forget the keys; one that does not hear it holds them for up to five minutes.
 *
 * @returns how many keys
 */
export async function destroyKeys(deps: VaultDeps, tx: Tx, input: DestroyKeys): Promise<number> {
  const { workspaceId, tenantUid, purpose, scope, scopePrefix, ids: named } = input;
  if ([tenantUid, purpose, scope, scopePrefix, named].every((each) => each === undefined)) {
    throw new Error("destroyKeys needs a tenant, a purpose, a scope or ids");
  }
  const wanted = and(
    eq(dataKeys.workspaceId, workspaceId),
    ne(dataKeys.state, "destroyed"),
    tenantUid === undefined ? undefined : eq(dataKeys.tenantUid, tenantUid as TenantUid),
    purpose === undefined ? undefined : eq(dataKeys.purpose, purpose),
    scope === undefined ? undefined : eq(dataKeys.scope, scope),
    named === undefined ? undefined : inArray(dataKeys.id, [...named]),
    scopePrefix === undefined ? undefined : sql`starts_with(${dataKeys.scope}, ${scopePrefix})`,
  );
  // A rotation holds an old key while it makes its successor: only a statement that begins after that sees both.
  await tx.select({ id: dataKeys.id }).from(dataKeys).where(wanted).orderBy(asc(dataKeys.id)).for("update");
  const rows = await tx
    .update(dataKeys)
    .set({ state: "destroyed", wrapped: Buffer.alloc(0), keyCheck: Buffer.alloc(0), destroyedAt: deps.clock.now() })
    .where(wanted)
    .returning({ id: dataKeys.id });
  const ids = rows.map((row) => row.id);
  const destroyed = new Set(ids);
  deps.dataKeyCache.forget((key) => destroyed.has(key.id));
  await tellDestroyed(tx, ids);
  return rows.length;
}
