import type { DataKeyId, WorkspaceId } from "@patchbay/shared";
import { createHmac } from "node:crypto";
import type { Tx, WithWorkspace } from "../../platform/db/index.ts";
import type { Clock } from "../../platform/runtime/index.ts";
import { activeDataKey, dataKeysById, type DataKeySpec, type HeldKey, type VaultDeps } from "./data-keys.ts";
import { destroyKeys, type DestroyKeys } from "./destroy-keys.ts";
import { keyIdOf, openEnvelope, sealEnvelope, type OpenKey, type Place } from "./envelope.ts";
import { createKeyCache } from "./key-cache.ts";
import { KeyProviderError } from "./key-provider.ts";
import type { Keys } from "./keys.ts";
import type { WorkspaceKey } from "./workspace-keys.ts";

/** Seals without waiting: pure computation, fit for the inside of a transaction. */
export interface Sealer {
  /** Goes in the row beside the sealed value. */
  readonly keyId: DataKeyId;
  seal(place: Place, plain: Uint8Array): Uint8Array;
}

/** Authenticates without waiting, as {@link Sealer} seals. */
export interface Authenticator {
  /** Goes in the row beside the code. */
  readonly keyId: DataKeyId;
  /** HMAC-SHA256, 32 bytes. */
  mac(data: Uint8Array): Uint8Array;
}

/** @throws KeyDestroyedError, or an Error when the value was changed or stands in another place */
export type Opener = (place: Place, sealed: Uint8Array) => Uint8Array;

/** Encrypts what is stored. There is no unencrypted mode. */
export interface Vault {
  /**
   * Makes and commits the key if there is none. Call it before your transaction: a key made inside would be lost with
   * a rollback while this process remembers it, and a second connection inside a transaction can deadlock the pool.
   */
  sealer(spec: DataKeySpec): Promise<Sealer>;
  /** As `sealer`; a key that authenticates must not be asked for sealing too: give it a purpose or scope of its own. */
  authenticator(spec: DataKeySpec): Promise<Authenticator>;
  /** For checking codes that were made under these keys. Keys that were destroyed or never were are left out. */
  authenticators(
    workspaceId: WorkspaceId,
    keyIds: readonly DataKeyId[],
  ): Promise<ReadonlyMap<DataKeyId, Authenticator>>;
  /** Loads the keys of many values at once. A destroyed key fails when one of its values is opened, not here. */
  opener(workspaceId: WorkspaceId, keyIds: readonly DataKeyId[]): Promise<Opener>;
  open(workspaceId: WorkspaceId, place: Place, sealed: Uint8Array): Promise<Uint8Array>;
  destroyKeys(tx: Tx, input: DestroyKeys): Promise<number>;
  /** Drops data keys from memory; who needs one reads it anew. */
  forget(ids: ReadonlySet<string> | "all"): void;
}

/** What an operator should see of the keys in memory. */
export interface KeyEvent {
  /** `stale`: used beyond its age, for want of an answer; `evicted`: everything of a provider that said no. */
  readonly kind: "stale" | "evicted";
  readonly provider: string;
}

export function createVault(given: {
  readonly withWorkspace: WithWorkspace;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly onKeyEvent?: (event: KeyEvent) => void;
  /** Told whether a data key was at hand. */
  readonly onLookup?: (found: boolean) => void;
}): Vault {
  const { clock, keys: wrapping, onKeyEvent = () => {} } = given;
  const workspaceKeyCache = createKeyCache<WorkspaceKey>(clock, {
    mayServe: (error) => error instanceof KeyProviderError && error.trouble === "unreachable",
    onServed: ({ provider }) => onKeyEvent({ kind: "stale", provider }),
  });
  const dataKeyCache = createKeyCache<HeldKey>(clock, null, given.onLookup);
  const deps: VaultDeps = { ...given, workspaceKeyCache, dataKeyCache };
  // A customer who withdraws access wins at once: what hangs on the provider goes, data keys included.
  wrapping.onDenied((provider) => {
    workspaceKeyCache.forget((key) => key.provider === provider);
    dataKeyCache.forget((key) => key.provider === provider);
    onKeyEvent({ kind: "evicted", provider });
  });

  async function opener(workspaceId: WorkspaceId, keyIds: readonly DataKeyId[]): Promise<Opener> {
    const keys = await dataKeysById(deps, workspaceId, keyIds);
    return (place, sealed) => {
      const key = keys.get(keyIdOf(sealed));
      if (key === undefined) throw new Error("sealed value belongs to another key");
      if (key instanceof Error) throw key;
      return openEnvelope(key, place, sealed);
    };
  }

  return {
    async sealer(spec) {
      const key = await activeDataKey(deps, spec);
      return { keyId: key.id, seal: (place, plain) => sealEnvelope(key, place, plain) };
    },
    authenticator: async (spec) => toAuthenticator(await activeDataKey(deps, spec)),
    async authenticators(workspaceId, keyIds) {
      const keys = await dataKeysById(deps, workspaceId, keyIds);
      return new Map([...keys].flatMap(([id, key]) => (key instanceof Error ? [] : [[id, toAuthenticator(key)]])));
    },
    opener,
    async open(workspaceId, place, sealed) {
      const open = await opener(workspaceId, [keyIdOf(sealed)]);
      return open(place, sealed);
    },
    destroyKeys: (tx, input) => destroyKeys(deps, tx, input),
    forget: (ids) => dataKeyCache.forget((key) => ids === "all" || ids.has(key.id)),
  };
}

function toAuthenticator({ id, key }: OpenKey): Authenticator {
  return { keyId: id, mac: (data) => createHmac("sha256", key).update(data).digest() };
}
