import { LRUCache } from "lru-cache";

/** Unwrapped keys of this process: bounded in number and age; one load at a time per key. */
export interface KeyCache<Key> {
  get(name: string, load: () => Promise<Key>): Promise<Key>;
  /** Keys that are here or being loaded. */
  peek(name: string): Promise<Key> | undefined;
  put(name: string, key: Promise<Key>): void;
  forget(matches: (key: Key) => boolean): Promise<void>;
}

const ENTRIES_MAX = 10_000;
const TTL_MS = 5 * 60_000;

export function createKeyCache<Key>(): KeyCache<Key> {
  const entries = new LRUCache<string, Promise<Key>>({ max: ENTRIES_MAX, ttl: TTL_MS });

  function put(name: string, key: Promise<Key>): void {
    entries.set(name, key);
    // A failure is not remembered: the next caller asks again.
    key.catch(() => {
      if (entries.peek(name) === key) entries.delete(name);
    });
  }

  return {
    put,
    peek: (name) => entries.get(name),
    get(name, load) {
      const held = entries.get(name);
      if (held !== undefined) return held;
      const loading = load();
      put(name, loading);
      return loading;
    },
    async forget(matches) {
      for (const [name, held] of entries.entries()) {
        const key = await held.catch(() => null);
        if (key !== null && matches(key)) entries.delete(name);
      }
    },
  };
}
