import { describe, expect, test } from "vitest";
import { createKeyCache } from "./key-cache.ts";

describe("the key cache", () => {
  test("loads once for all who ask at once", async () => {
    const cache = createKeyCache<{ id: number }>();
    let loads = 0;
    const load = async () => ({ id: ++loads });
    await Promise.all(Array.from({ length: 50 }, () => cache.get("a", load)));
    expect(loads).toBe(1);
  });

  test("does not remember a failure", async () => {
    const cache = createKeyCache<{ id: number }>();
    await expect(cache.get("a", () => Promise.reject(new Error("down")))).rejects.toThrow("down");
    expect(await cache.get("a", async () => ({ id: 1 }))).toEqual({ id: 1 });
  });

  test("forgets what matches and what is still being loaded", async () => {
    const cache = createKeyCache<{ id: number }>();
    await cache.get("kept", async () => ({ id: 1 }));
    await cache.get("gone", async () => ({ id: 2 }));
    void cache.get("loading", () => new Promise(() => {}));
    cache.forget((key) => key.id === 2);
    expect(["kept", "gone", "loading"].filter((name) => cache.peek(name) !== undefined)).toEqual(["kept"]);
  });
});
