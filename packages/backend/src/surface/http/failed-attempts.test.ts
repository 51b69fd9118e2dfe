import { describe, expect, test } from "vitest";
import { createFailedAttempts } from "./failed-attempts.ts";

function counted() {
  let nowMs = 0;
  const failed = createFailedAttempts({ now: () => new Date(nowMs) });
  const fail = (text: string, publicId = "id", address: string | null = "203.0.113.7") =>
    failed.count(text, { publicId, address });
  return { failed, fail, wait: (ms: number) => (nowMs += ms) };
}

describe("failed attempts", () => {
  test("have to wait after twenty on one key, wherever they come from, until a minute is over", () => {
    const { fail, wait } = counted();
    const answers = Array.from({ length: 21 }, (_, n) => fail(`key ${n}`, "id", `203.0.113.${n}`));
    expect([answers[19], answers[20]]).toEqual([null, 60]);
    expect(fail("another", "other id", "198.51.100.1")).toBeNull();
    wait(60_000);
    expect(fail("key 22")).toBeNull();
  });

  test("have to wait after sixty from one address, on whichever keys", () => {
    const { fail } = counted();
    const answers = Array.from({ length: 61 }, (_, n) => fail(`key ${n}`, `id ${n}`));
    expect([answers[59], answers[60]]).toEqual([null, 60]);
    expect(fail("key", "id", "198.51.100.1")).toBeNull();
  });

  test("are known again for a minute, the same text and no other", () => {
    const { failed, fail, wait } = counted();
    fail("a key");
    expect([failed.isKnown("a key"), failed.isKnown("a kez")]).toEqual([true, false]);
    wait(60_000);
    expect(failed.isKnown("a key")).toBe(false);
  });

  test("are forgotten rather than piled up", () => {
    const { failed, fail } = counted();
    for (let n = 0; n <= 10_000; n++) fail(`key ${n}`, `id ${n}`, null);
    expect([failed.isKnown("key 0"), failed.isKnown("key 10000")]).toEqual([false, true]);
  });
});
