import { LRUCache } from "lru-cache";
import type { Clock } from "../../platform/runtime/index.ts";

/** Unwrapped keys of this process: bounded in number and age; one load at a time per key. */
export interface KeyCache<Key> {
  get(name: string, load: () => Promise<Key>): Promise<Key>;
  /** A key that is here, young enough, or being loaded. */
  peek(name: string): Promise<Key> | undefined;
  put(name: string, key: Promise<Key>): void;
  /** Never waits: callers hold a transaction, and what is being loaded may need a connection of the same pool. */
  forget(matches: (key: Key) => boolean): void;
}

/** When a key that has grown too old may be used on, because its provider gives no answer. */
export interface Staleness<Key> {
  readonly mayServe: (error: unknown) => boolean;
  /** Told each time a key is used beyond its age. */
  readonly onServed: (key: Key) => void;
}

interface Entry<Key> {
  readonly loading: Promise<Key>;
  loaded: Key | null;
  freshUntil: number;
  staleUntil: number;
}

export const TTL_MS = 5 * 60_000;
/**
 * What hangs on a stale key may itself be kept for one more {@link TTL_MS}: altogether 15 minutes, counted from the end
 * of the key's own age.
 */
export const STALE_MS_MAX = 15 * 60_000 - TTL_MS;
/** After a key was used beyond its age, its provider is left alone for so long. */
export const STALE_RETRY_MS = 30_000;
const ENTRIES_MAX = 10_000;
/** How often what is too old for any use is dropped. */
const PURGE_EVERY_MS = 60_000;

/** @param onLookup is told whether a key was at hand or is being loaded */
export function createKeyCache<Key extends object>(
  clock: Clock,
  staleness: Staleness<Key> | null,
  onLookup: (found: boolean) => void = () => {},
): KeyCache<Key> {
  const entries = new LRUCache<string, Entry<Key>>({ max: ENTRIES_MAX });
  const keptMs = TTL_MS + (staleness === null ? 0 : STALE_MS_MAX);
  let purgeAt = 0;

  function add(name: string, loading: Promise<Key>): Entry<Key> {
    onLookup(false);
    const now = clock.now().getTime();
    if (now >= purgeAt) {
      purgeAt = now + PURGE_EVERY_MS;
      for (const [old, entry] of entries.entries()) if (now >= entry.staleUntil) entries.delete(old);
    }
    const entry: Entry<Key> = { loading, loaded: null, freshUntil: now + TTL_MS, staleUntil: now + keptMs };
    entries.set(name, entry);
    loading.then(
      (key) => (entry.loaded = key),
      // A failure is not remembered: the next caller asks again.
      () => {
        if (entries.peek(name) === entry) entries.delete(name);
      },
    );
    return entry;
  }

  function fresh(name: string): Entry<Key> | undefined {
    const held = entries.get(name);
    return held !== undefined && clock.now().getTime() < held.freshUntil ? held : undefined;
  }

  /** Loads anew; where that fails for want of an answer, `old` serves on, unless it was forgotten meanwhile. */
  function reload(name: string, load: () => Promise<Key>, old: Entry<Key>): Promise<Key> {
    const key = old.loaded;
    if (staleness === null || key === null) return add(name, load()).loading;
    const entry = add(
      name,
      load().catch((error: unknown) => {
        const now = clock.now().getTime();
        if (!staleness.mayServe(error) || now >= old.staleUntil || entries.peek(name) !== entry) throw error;
        entry.freshUntil = Math.min(now + STALE_RETRY_MS, old.staleUntil);
        entry.staleUntil = old.staleUntil;
        staleness.onServed(key);
        return key;
      }),
    );
    return entry.loading;
  }

  return {
    put: (name, loading) => void add(name, loading),
    peek: (name) => fresh(name)?.loading,
    get(name, load) {
      const held = fresh(name);
      if (held !== undefined) {
        if (held.loaded !== null) onLookup(true);
        return held.loading;
      }
      const old = entries.peek(name);
      return old === undefined ? add(name, load()).loading : reload(name, load, old);
    },
    forget(matches) {
      for (const [name, entry] of entries.entries()) {
        // What is still being loaded was asked for before; the next caller asks again.
        if (entry.loaded === null || matches(entry.loaded)) entries.delete(name);
      }
    },
  };
}
