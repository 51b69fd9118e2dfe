import {
  KeyProviderError,
  VaultKeyError,
  type BoundContext,
  type KeyProvider,
  type ProviderId,
  type WrapContext,
} from "./key-provider.ts";

/** One version of a key-encryption key. */
export interface KekId {
  readonly provider: ProviderId;
  readonly version: string;
}

/** A wrapped key as it stands in a row: with what can unwrap it. */
export interface WrappedKey {
  readonly provider: string;
  readonly kekVersion: string;
  readonly wrapped: Uint8Array;
}

/**
 * All configured key providers as one. The first one's primary version wraps; every version unwraps. Two providers are
 * configured while rows move from one to the other.
 */
export interface Keys {
  readonly primary: KekId;
  /** What to prove at start, the primary first. */
  readonly versions: readonly KekId[];
  /** Whether what this version wrapped can be unwrapped with the configuration. */
  holds(kek: { readonly provider: string; readonly version: string }): boolean;
  /** Wraps under the primary, or under `kek`. @throws KeyProviderError */
  wrap(key: Uint8Array, context: WrapContext, kek?: KekId): Promise<WrappedKey & { readonly provider: ProviderId }>;
  /** @throws KeyProviderError, or VaultKeyError when provider or version are not configured */
  unwrap(held: WrappedKey, context: WrapContext): Promise<Uint8Array>;
  /** Calls `listener` each time a provider says no. @returns how to stop */
  onDenied(listener: (provider: ProviderId) => void): () => void;
}

/**
 * @param deployment name of this installation, part of what every key is bound to
 * @param providers the one that wraps first
 */
export function createKeys(deployment: string, providers: readonly [KeyProvider, ...KeyProvider[]]): Keys {
  const [first] = providers;
  const byId = new Map<string, KeyProvider>(providers.map((provider) => [provider.id, provider]));
  const versions = providers.flatMap((provider) =>
    provider.versions().map((version): KekId => ({ provider: provider.id, version })),
  );
  const [primary] = versions;
  if (primary === undefined || primary.provider !== first.id) throw new Error("the first key provider has no version");
  const listeners = new Set<(provider: ProviderId) => void>();
  const bound = (context: WrapContext): BoundContext => ({ ...context, deployment });

  function providerOf(id: string): KeyProvider {
    const provider = byId.get(id);
    if (provider === undefined) {
      throw new VaultKeyError(`This database has keys of "${id}", which PATCHBAY_KEY_PROVIDERS does not name.`);
    }
    return provider;
  }

  async function heeding<T>(asked: Promise<T>): Promise<T> {
    try {
      return await asked;
    } catch (error) {
      if (error instanceof KeyProviderError && error.trouble === "denied") {
        for (const listener of listeners) listener(error.provider);
      }
      throw error;
    }
  }

  return {
    primary,
    versions,
    holds: (kek) => byId.get(kek.provider)?.holds(kek.version) ?? false,
    async wrap(key, context, kek = primary) {
      const wrapped = await heeding(providerOf(kek.provider).wrap(key, bound(context), kek.version));
      return { provider: kek.provider, kekVersion: kek.version, wrapped };
    },
    unwrap: async ({ provider, kekVersion, wrapped }, context) =>
      heeding(providerOf(provider).unwrap(wrapped, kekVersion, bound(context))),
    onDenied(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
