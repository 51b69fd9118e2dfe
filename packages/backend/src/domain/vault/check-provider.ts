import { randomBytes, randomUUID, timingSafeEqual } from "node:crypto";
import { NIL_UUID } from "../../platform/db/index.ts";
import { KeyProviderError, type ProviderId, type WrapContext } from "./key-provider.ts";
import type { Keys } from "./keys.ts";

/** Whether a provider's primary version wraps and unwraps now: two calls. @throws KeyProviderError */
export async function checkProvider(keys: Keys, provider: ProviderId): Promise<void> {
  const key = randomBytes(32);
  const context = aContext();
  const held = await keys.wrap(key, context, versionOf(keys, provider));
  const unwrapped = await keys.unwrap(held, context);
  if (unwrapped.byteLength !== key.byteLength || !timingSafeEqual(unwrapped, key)) {
    throw new KeyProviderError(provider, "wrong", "it gives back another key than it was given");
  }
}

/**
 * Proves that what a provider wrapped does not unwrap for another context: old releases of Vault take the
 * associated data and ignore it. Services write the refusal into their audit log, so this is asked at start only.
 *
 * @throws KeyProviderError
 */
export async function proveBinding(keys: Keys, provider: ProviderId): Promise<void> {
  const held = await keys.wrap(randomBytes(32), aContext(), versionOf(keys, provider));
  const opensElsewhere = await keys.unwrap(held, aContext()).then(
    () => true,
    (error: unknown) => {
      if (error instanceof KeyProviderError && error.trouble === "wrong") return false;
      throw error;
    },
  );
  if (opensElsewhere) throw new KeyProviderError(provider, "wrong", "it does not bind keys to their context");
}

function aContext(): WrapContext {
  return { v: 1, use: "check", workspaceId: NIL_UUID, keyId: randomUUID() };
}

function versionOf(keys: Keys, provider: ProviderId) {
  return keys.versions.find((kek) => kek.provider === provider);
}
