import type { WorkspaceId } from "@patchbay/shared";
import { and, asc, eq, inArray, ne, notInArray } from "drizzle-orm";
import { createSecretKey, randomBytes } from "node:crypto";
import { NIL_UUID, type RoleDatabase } from "../../platform/db/index.ts";
import { queueWorkspaces } from "../../platform/lanes/index.ts";
import type { Clock } from "../../platform/runtime/index.ts";
import { checkProvider, proveBinding } from "./check-provider.ts";
import { unwrapDataKey } from "./data-keys.ts";
import { checkedKey, keyCheck } from "./key-check.ts";
import { KeyProviderError, VaultKeyError, type WrapContext } from "./key-provider.ts";
import { bindsDeployment } from "./key-providers/local.ts";
import type { KekId, Keys, WrappedKey } from "./keys.ts";
import { dataKeys, vaultCanaries, workspaceKeys } from "./tables.ts";
import { unwrapWorkspaceKey } from "./workspace-keys.ts";

interface Deps {
  /** As the worker role, which may list workspaces. */
  readonly database: RoleDatabase;
  readonly keys: Keys;
  readonly clock: Clock;
}

/** Workspaces whose real keys are tried at start, the oldest ones. */
const WORKSPACES_TRIED_MAX = 10;

/**
 * Proves at start that the configured keys are the ones that this database was sealed with, and that every key that
 * rows still need is configured. A process that skips this could seal new workspaces with a wrong key.
 *
 * Each version of a key leaves a canary behind the first time it is seen; a first start with a lost key file thus does
 * not pass for a new installation. Nothing is written before everything was proved.
 *
 * @throws VaultKeyError with a sentence for the operator; KeyProviderError when a key service gives no answer
 */
export async function checkKeys(deps: Deps): Promise<void> {
  const proved: Canary[] = [];
  const missing: Canary[] = [];
  for (const canary of await readCanaries(deps)) ((await proveCanary(deps, canary)) ? proved : missing).push(canary);
  const unneeded = await notNeeded(deps, missing);
  await proveRealKeys(deps);
  for (const provider of new Set(deps.keys.versions.map((kek) => kek.provider))) {
    await explained(checkProvider(deps.keys, provider));
    await explained(proveBinding(deps.keys, provider));
  }

  for (const canary of unneeded) await forgetCanary(deps, canary);
  for (const kek of deps.keys.versions) {
    if (unneeded.some((canary) => canary.kekVersion === kek.version)) continue;
    const known = proved.find((canary) => canary.kekVersion === kek.version);
    if (known === undefined) await leaveCanary(deps, kek);
    else if (!bindsDeployment(known)) await renewCanary(deps, kek);
  }
}

/** Of the above, what asks of the schema the least: that the keys are those that canaries were left by. */
export async function checkCanaries(deps: Omit<Deps, "clock">): Promise<void> {
  for (const canary of await readCanaries(deps)) await proveCanary(deps, canary);
}

type Canary = typeof vaultCanaries.$inferSelect;

function readCanaries(deps: Omit<Deps, "clock">): Promise<Canary[]> {
  return deps.database.withQueue((tx) => tx.select().from(vaultCanaries));
}

/**
 * @returns false when its version is configured no longer, or may no longer be used and does not wrap
 * @throws VaultKeyError when the version is another key than the one that wrapped the canary
 */
async function proveCanary(deps: Omit<Deps, "clock">, canary: Canary): Promise<boolean> {
  const { provider, kekVersion: version } = canary;
  if (!deps.keys.holds({ provider, version })) return false;
  const { primary } = deps.keys;
  const wraps = primary.provider === provider && primary.version === version;
  return explained(
    (async () => {
      try {
        checkedKey(await deps.keys.unwrap(canary, canaryContext(version)), canary.keyCheck);
        return true;
      } catch (error) {
        if (!wraps && error instanceof KeyProviderError && error.trouble === "denied") return false;
        throw error;
      }
    })(),
    canary,
  );
}

/** Of versions that cannot be used: those that no key is wrapped with. @throws VaultKeyError for the others */
async function notNeeded(deps: Deps, missing: readonly Canary[]): Promise<readonly Canary[]> {
  if (missing.length === 0) return [];
  const versions = missing.map((canary) => canary.kekVersion);
  const all = await deps.database.withQueue((tx) => tx.select().from(queueWorkspaces));
  for (const { workspaceId } of all) {
    const [needed] = await deps.database.withWorkspace(workspaceId, (tx) =>
      tx
        .select({ provider: workspaceKeys.provider, version: workspaceKeys.kekVersion })
        .from(workspaceKeys)
        .where(
          and(
            eq(workspaceKeys.workspaceId, workspaceId),
            inArray(workspaceKeys.kekVersion, versions),
            ne(workspaceKeys.state, "destroyed"),
          ),
        )
        .limit(1),
    );
    if (needed !== undefined) {
      throw new VaultKeyError(
        `This database needs version ${needed.version} of the keys of "${needed.provider}", which is not configured or may not be used; ` +
          "restore that key, or name its provider in PATCHBAY_KEY_PROVIDERS as well.",
      );
    }
  }
  return missing;
}

/** The canaries prove the versions; real keys prove that the data is of this installation. */
async function proveRealKeys(deps: Deps): Promise<void> {
  const oldest = await deps.database.withQueue((tx) =>
    tx.select().from(queueWorkspaces).orderBy(asc(queueWorkspaces.createdAt)).limit(WORKSPACES_TRIED_MAX),
  );
  const tried: string[] = [];
  for (const { workspaceId } of oldest) tried.push(...(await proveWorkspace(deps, workspaceId, tried)));
}

/** @returns purposes of which a data key was tried */
async function proveWorkspace(
  deps: Deps,
  workspaceId: WorkspaceId,
  tried: readonly string[],
): Promise<readonly string[]> {
  const { wrappers, samples } = await deps.database.withWorkspace(workspaceId, async (tx) => ({
    wrappers: await tx.select().from(workspaceKeys).where(eq(workspaceKeys.workspaceId, workspaceId)),
    samples: await tx
      .selectDistinctOn([dataKeys.purpose])
      .from(dataKeys)
      .where(
        and(
          eq(dataKeys.workspaceId, workspaceId),
          eq(dataKeys.state, "active"),
          tried.length === 0 ? undefined : notInArray(dataKeys.purpose, [...tried]),
        ),
      )
      .orderBy(asc(dataKeys.purpose), asc(dataKeys.createdAt)),
  }));
  for (const row of wrappers) {
    const mine = samples.filter((sample) => sample.workspaceKeyId === row.id);
    if (row.state !== "active" && mine.length === 0) continue;
    await explained(
      (async () => {
        const wrapper = await unwrapWorkspaceKey(deps, row);
        for (const sample of mine) unwrapDataKey(wrapper, sample);
      })(),
      row,
    );
  }
  return samples.map((sample) => sample.purpose);
}

/** @throws VaultKeyError where starting again does not help */
async function explained<Result>(proof: Promise<Result>, row?: WrappedKey): Promise<Result> {
  try {
    return await proof;
  } catch (error) {
    if (error instanceof VaultKeyError) throw error;
    if (error instanceof KeyProviderError && error.trouble === "unreachable") throw error;
    if (row === undefined || (error instanceof KeyProviderError && error.trouble === "denied")) {
      throw new VaultKeyError(
        `The keys cannot be used: ${error instanceof Error ? error.message : "unknown trouble"}.`,
        {
          cause: error,
        },
      );
    }
    throw new VaultKeyError(
      `The configured key (${row.provider}, version ${row.kekVersion}) is not the one that this database was sealed with, ` +
        "or PATCHBAY_DEPLOYMENT has changed; restore the right key and name.",
      { cause: error },
    );
  }
}

async function leaveCanary(deps: Deps, kek: KekId): Promise<void> {
  const values = await newCanary(deps, kek);
  const left = await deps.database.withQueue((tx) =>
    tx.insert(vaultCanaries).values(values).onConflictDoNothing().returning({ version: vaultCanaries.kekVersion }),
  );
  if (left.length > 0) return;
  // Another process was quicker, perhaps with another key of the same name.
  for (const canary of await readCanaries(deps)) {
    if (canary.kekVersion === kek.version) await proveCanary(deps, canary);
  }
}

/** Canaries of before keys were bound to a deployment would not notice a changed name. */
async function renewCanary(deps: Deps, kek: KekId): Promise<void> {
  const values = await newCanary(deps, kek);
  await deps.database.withQueue((tx) =>
    tx.update(vaultCanaries).set(values).where(eq(vaultCanaries.kekVersion, kek.version)),
  );
}

async function forgetCanary(deps: Deps, canary: Canary): Promise<void> {
  await deps.database.withQueue((tx) =>
    tx.delete(vaultCanaries).where(eq(vaultCanaries.kekVersion, canary.kekVersion)),
  );
}

async function newCanary(deps: Deps, kek: KekId) {
  const key = randomBytes(32);
  const held = await deps.keys.wrap(key, canaryContext(kek.version), kek);
  return { ...held, keyCheck: keyCheck(createSecretKey(key)), createdAt: deps.clock.now() };
}

function canaryContext(version: string): WrapContext {
  return { v: 1, use: "canary", workspaceId: NIL_UUID, keyId: version };
}
