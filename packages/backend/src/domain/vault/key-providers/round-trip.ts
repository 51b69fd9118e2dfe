import { randomBytes, randomUUID, timingSafeEqual } from "node:crypto";
import { KeyProviderError, type BoundContext, type KeyProvider } from "../key-provider.ts";

/**
 * Wraps a random key, unwraps it, and proves that it does not unwrap for another context: a service that ignores the
 * context would bind nothing.
 */
export async function roundTrip(provider: KeyProvider): Promise<void> {
  const key = randomBytes(32);
  const context: BoundContext = {
    v: 1,
    deployment: "check",
    use: "check",
    workspaceId: NOBODYS,
    keyId: randomUUID(),
  };
  const [version = ""] = provider.versions();
  const wrapped = await provider.wrap(key, context);
  const unwrapped = await provider.unwrap(wrapped, version, context);
  if (unwrapped.byteLength !== key.byteLength || !timingSafeEqual(unwrapped, key)) {
    throw new KeyProviderError(provider.id, "wrong", "it gives back another key than it was given");
  }
  const opensElsewhere = await provider.unwrap(wrapped, version, { ...context, keyId: randomUUID() }).then(
    () => true,
    (error: unknown) => {
      if (error instanceof KeyProviderError && error.trouble === "wrong") return false;
      throw error;
    },
  );
  if (opensElsewhere) throw new KeyProviderError(provider.id, "wrong", "it does not bind keys to their context");
}

const NOBODYS = "00000000-0000-0000-0000-000000000000";
