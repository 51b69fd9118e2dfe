import { LRUCache } from "lru-cache";

/** Unwrapped keys of this process: bounded in number and age; one load at a time per key. */
export interface KeyCache<Key> {
  get(name: string, load: () => Promise<Key>): Promise<Key>;
  /** A key that is here or being loaded. */
  peek(name: string): Promise<Key> | undefined;
  put(name: string, key: Promise<Key>): void;
  /** Never waits: callers hold a transaction, and what is being loaded may need a connection of the same pool. */
  forget(matches: (key: Key) => boolean): void;
}

interface Entry<Key> {
  readonly loading: Promise<Key>;
  loaded: Key | null;
}

const ENTRIES_MAX = 10_000;
const TTL_MS = 5 * 60_000;

export function createKeyCache<Key extends object>(): KeyCache<Key> {
  const entries = new LRUCache<string, Entry<Key>>({ max: ENTRIES_MAX, ttl: TTL_MS });

  function put(name: string, loading: Promise<Key>): void {
    const entry: Entry<Key> = { loading, loaded: null };
    entries.set(name, entry);
    loading.then(
      (key) => (entry.loaded = key),
      // A failure is not remembered: the next caller asks again.
      () => {
        if (entries.peek(name) === entry) entries.delete(name);
      },
    );
  }

  return {
    put,
    peek: (name) => entries.get(name)?.loading,
    get(name, load) {
      const held = entries.get(name);
      if (held !== undefined) return held.loading;
      const loading = load();
      put(name, loading);
      return loading;
    },
    forget(matches) {
      for (const [name, entry] of entries.entries()) {
        // What is still being loaded was asked for before; the next caller asks again.
        if (entry.loaded === null || matches(entry.loaded)) entries.delete(name);
      }
    },
  };
}
