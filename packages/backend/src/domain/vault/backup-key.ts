import { createSecretKey, randomBytes, type KeyObject } from "node:crypto";
import { NIL_UUID } from "../../platform/db/index.ts";
import { KeyProviderError, VaultKeyError, type WrapContext } from "./key-provider.ts";
import type { Keys, WrappedKey } from "./keys.ts";

const KEY_BYTES = 32;

/**
 * A new key for the code that vouches for one backup. It stands in the backup, wrapped as workspace keys are: who has
 * not the key-encryption key can neither change a backup unseen nor make one, and with the wrong key none is restored.
 */
export async function makeBackupKey(
  keys: Keys,
  backupId: string,
): Promise<{ readonly key: KeyObject; readonly held: WrappedKey }> {
  const bytes = randomBytes(KEY_BYTES);
  const held = await keys.wrap(bytes, contextOf(backupId));
  return { key: createSecretKey(bytes), held };
}

/** @throws VaultKeyError when the configured keys are not those of the backup; KeyProviderError when there is no answer */
export async function openBackupKey(keys: Keys, backupId: string, held: WrappedKey): Promise<KeyObject> {
  if (!keys.holds({ provider: held.provider, version: held.kekVersion })) {
    throw new VaultKeyError(
      `This backup needs version ${held.kekVersion} of the keys of "${held.provider}", which is not configured: ` +
        "put that key back, which is kept apart from backups, or name its provider in PATCHBAY_KEY_PROVIDERS.",
    );
  }
  try {
    return createSecretKey(await keys.unwrap(held, contextOf(backupId)));
  } catch (error) {
    if (!(error instanceof KeyProviderError) || error.trouble !== "wrong") throw error;
    throw new VaultKeyError(
      `The configured key (${held.provider}, version ${held.kekVersion}) is not the one that this backup was made with, ` +
        "or PATCHBAY_DEPLOYMENT is another name than there; put the right key and name back.",
      { cause: error },
    );
  }
}

function contextOf(backupId: string): WrapContext {
  return { v: 1, use: "backup", workspaceId: NIL_UUID, keyId: backupId };
}
