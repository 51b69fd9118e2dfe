import { describe, expect, test } from "vitest";
import { STALE_MS_MAX, STALE_RETRY_MS, TTL_MS, createKeyCache } from "./key-cache.ts";

interface Key {
  readonly id: number;
}

describe("the key cache", () => {
  test("loads once for all who ask at once", async () => {
    const { cache } = aCache();
    let loads = 0;
    const load = async () => ({ id: ++loads });
    await Promise.all(Array.from({ length: 50 }, () => cache.get("a", load)));
    expect(loads).toBe(1);
  });

  test("does not remember a failure", async () => {
    const { cache } = aCache();
    await expect(cache.get("a", () => Promise.reject(new Error("down")))).rejects.toThrow("down");
    expect(await cache.get("a", async () => ({ id: 1 }))).toEqual({ id: 1 });
  });

  test("forgets what matches and what is still being loaded", async () => {
    const { cache } = aCache();
    await cache.get("kept", async () => ({ id: 1 }));
    await cache.get("gone", async () => ({ id: 2 }));
    void cache.get("loading", () => new Promise(() => {}));
    cache.forget((key) => key.id === 2);
    expect(["kept", "gone", "loading"].filter((name) => cache.peek(name) !== undefined)).toEqual(["kept"]);
  });

  test("holds at most 10,000 keys, those used last", async () => {
    const { cache } = aCache();
    await cache.get("first", async () => ({ id: 0 }));
    for (let id = 1; id < 10_000; id++) await cache.get(`key ${id}`, async () => ({ id }));
    await cache.get("first", down);
    await cache.get("one more", async () => ({ id: 10_000 }));
    expect(cache.peek("first")).toBeDefined();
    expect(cache.peek("key 1")).toBeUndefined();
  });

  test("keeps a key for five minutes and no longer", async () => {
    const { cache, pass } = aCache();
    await cache.get("a", async () => ({ id: 1 }));
    pass(TTL_MS - 1);
    expect(await cache.get("a", down)).toEqual({ id: 1 });
    pass(1);
    await expect(cache.get("a", down)).rejects.toThrow("down");
  });
});

describe("a key whose provider gives no answer", () => {
  test("V10: serves on for a bounded time beyond its age, and says so", async () => {
    const { cache, pass, served } = aStaleCache();
    await cache.get("a", async () => ({ id: 1 }));
    pass(TTL_MS);
    expect(await cache.get("a", down)).toEqual({ id: 1 });
    expect(served).toEqual([1]);
    pass(STALE_MS_MAX - 1);
    expect(await cache.get("a", down)).toEqual({ id: 1 });
    pass(1);
    await expect(cache.get("a", down)).rejects.toThrow("down");
  });

  test("is asked for once in a while only, and replaced as soon as there is an answer", async () => {
    const { cache, pass } = aStaleCache();
    let asked = 0;
    const load = () => (asked++ === 0 ? down() : Promise.resolve({ id: 2 }));
    await cache.get("a", async () => ({ id: 1 }));
    pass(TTL_MS);
    expect(await cache.get("a", load)).toEqual({ id: 1 });
    pass(STALE_RETRY_MS - 1);
    expect(await cache.get("a", load)).toEqual({ id: 1 });
    expect(asked).toBe(1);
    pass(1);
    expect(await cache.get("a", load)).toEqual({ id: 2 });
    expect(await cache.get("a", down)).toEqual({ id: 2 });
  });

  test("does not serve after any other trouble, nor when it was forgotten while being asked for", async () => {
    const { cache, pass } = aStaleCache();
    await cache.get("a", async () => ({ id: 1 }));
    await cache.get("b", async () => ({ id: 2 }));
    pass(TTL_MS);
    await expect(cache.get("a", () => Promise.reject(new Error("denied")))).rejects.toThrow("denied");
    await expect(cache.get("a", down)).rejects.toThrow("down");
    const asked = cache.get("b", down);
    cache.forget(() => true);
    await expect(asked).rejects.toThrow("down");
  });
});

function down(): Promise<Key> {
  return Promise.reject(new Error("down"));
}

function aCache() {
  let now = 0;
  const pass = (ms: number) => void (now += ms);
  return { pass, cache: createKeyCache<Key>({ now: () => new Date(now) }, null) };
}

function aStaleCache() {
  let now = 0;
  const pass = (ms: number) => void (now += ms);
  const served: number[] = [];
  const mayServe = (error: unknown) => error instanceof Error && error.message === "down";
  const cache = createKeyCache<Key>({ now: () => new Date(now) }, { mayServe, onServed: ({ id }) => served.push(id) });
  return { pass, cache, served };
}
