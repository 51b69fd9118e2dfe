import type { WorkspaceId } from "@patchbay/shared";
import { and, asc, eq } from "drizzle-orm";
import { createSecretKey, randomBytes } from "node:crypto";
import { NIL_UUID, type RoleDatabase } from "../../platform/db/index.ts";
import { queueWorkspaces } from "../../platform/lanes/index.ts";
import type { Clock } from "../../platform/runtime/index.ts";
import { checkedKey, keyCheck } from "./key-check.ts";
import { VaultKeyError, type KeyProvider, type WrapContext } from "./key-provider.ts";
import { vaultCanaries, workspaceKeys } from "./tables.ts";
import { workspaceKeyContext } from "./workspace-keys.ts";

interface Deps {
  /** As the worker role, which may list workspaces. */
  readonly database: RoleDatabase;
  readonly keys: KeyProvider;
  readonly clock: Clock;
}

/**
 * Proves at start that the configured keys are the ones that this database was sealed with. A process that skips this
 * could seal new workspaces with a wrong key.
 *
 * Each version of the key leaves a canary behind the first time it is seen; a first start with a lost key file thus
 * does not pass for a new installation.
 *
 * @throws VaultKeyError with a sentence for the operator
 */
export async function checkKeys(deps: Deps): Promise<void> {
  const canaries = await deps.database.withQueue((tx) => tx.select().from(vaultCanaries));
  for (const canary of canaries) await checkCanary(deps, canary);
  await checkOneWorkspace(deps);
  const known = new Set(canaries.map((canary) => canary.kekVersion));
  for (const version of deps.keys.versions()) {
    if (!known.has(version)) await leaveCanary(deps, version);
  }
}

async function checkCanary(deps: Deps, canary: typeof vaultCanaries.$inferSelect): Promise<void> {
  if (canary.provider !== deps.keys.id) {
    throw new VaultKeyError(
      `This database was sealed with keys of "${canary.provider}", but "${deps.keys.id}" is configured.`,
    );
  }
  // A version whose keys were all wrapped anew may be retired; one that is still needed fails below or at first use.
  if (!deps.keys.versions().includes(canary.kekVersion)) return;
  await proveKey(deps, canary, canaryContext(canary.kekVersion));
}

/** The canary proves the version; a real key proves that the data is of this installation. */
async function checkOneWorkspace(deps: Deps): Promise<void> {
  const [oldest] = await deps.database.withQueue((tx) =>
    tx.select().from(queueWorkspaces).orderBy(asc(queueWorkspaces.createdAt)).limit(1),
  );
  if (oldest === undefined) return;
  const [row] = await deps.database.withWorkspace(oldest.workspaceId, (tx) =>
    tx
      .select()
      .from(workspaceKeys)
      .where(and(eq(workspaceKeys.workspaceId, oldest.workspaceId), eq(workspaceKeys.state, "active"))),
  );
  if (row !== undefined) await proveKey(deps, row, workspaceKeyContext(row.workspaceId, row.id));
}

async function proveKey(
  deps: Deps,
  row: { readonly wrapped: Uint8Array; readonly kekVersion: string; readonly keyCheck: Uint8Array },
  context: WrapContext,
): Promise<void> {
  try {
    checkedKey(await deps.keys.unwrap(row.wrapped, row.kekVersion, context), row.keyCheck);
  } catch (error) {
    if (error instanceof VaultKeyError) throw error;
    throw new VaultKeyError(
      `The configured key (version ${row.kekVersion}) is not the one that this database was sealed with; restore the right key file.`,
      { cause: error },
    );
  }
}

async function leaveCanary(deps: Deps, version: string): Promise<void> {
  const key = randomBytes(32);
  const { wrapped } = await deps.keys.wrap(key, canaryContext(version), version);
  await deps.database.withQueue((tx) =>
    tx
      .insert(vaultCanaries)
      .values({
        kekVersion: version,
        provider: deps.keys.id,
        wrapped,
        keyCheck: keyCheck(createSecretKey(key)),
        createdAt: deps.clock.now(),
      })
      .onConflictDoNothing(),
  );
}

function canaryContext(version: string): WrapContext {
  return { v: 1, use: "canary", workspaceId: NIL_UUID as WorkspaceId, keyId: version };
}
