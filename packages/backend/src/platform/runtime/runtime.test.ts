import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { instantOfId, newId, newIds, randomToken, recordId, Secret } from "./index.ts";

const OBJECT = { tenantUid: "t", provider: "p", accountId: "a", mode: "test", model: "order", remoteId: "1" };

describe("recordId", () => {
  test("is the same for the same object, now and in every later version", () => {
    expect(recordId(OBJECT)).toBe("dfc0484e-5add-83b6-8c0d-4aa65f905ab3");
  });

  test.each(Object.keys(OBJECT))("differs for another %s", (field) => {
    expect(recordId({ ...OBJECT, [field]: "other" })).not.toBe(recordId(OBJECT));
  });

  test("does not confuse where one field ends and the next begins", () => {
    expect(recordId({ ...OBJECT, provider: "ab", accountId: "c" })).not.toBe(
      recordId({ ...OBJECT, provider: "a", accountId: "bc" }),
    );
    expect(recordId({ ...OBJECT, provider: "a1:b", accountId: "" })).not.toBe(
      recordId({ ...OBJECT, provider: "a", accountId: "b" }),
    );
  });

  test("is a UUID of version 8", () => {
    expect(recordId(OBJECT)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});

describe("newId", () => {
  test("is never the same twice, and tells when it was made", () => {
    const before = Date.now();
    const ids = Array.from({ length: 1_000 }, () => newId<string>());
    const after = Date.now();
    expect(new Set(ids).size).toBe(1_000);
    for (const id of ids) {
      expect(instantOfId(id).getTime()).toBeGreaterThanOrEqual(before);
      expect(instantOfId(id).getTime()).toBeLessThanOrEqual(after);
    }
  });
});

test("newIds gives ids that rise", () => {
  const ids = newIds<string>(1_000);
  expect(new Set(ids).size).toBe(1_000);
  expect(ids).toEqual(ids.toSorted());
});

describe("Secret", () => {
  const secret = new Secret("hunter2");

  test.each([
    ["a text", String(secret)],
    ["JSON", JSON.stringify({ secret })],
    ["inspect", inspect({ secret }, { showHidden: true, depth: 5 })],
    ["its own members", JSON.stringify(Object.entries(secret))],
  ])("is not printed by %s", (_, printed) => {
    expect(printed).not.toContain("hunter2");
  });

  test("is had by asking for it", () => {
    expect(secret.reveal()).toBe("hunter2");
  });
});

test("randomToken gives as many bytes as asked for, never the same twice", () => {
  const tokens = Array.from({ length: 100 }, () => randomToken(32));
  expect(new Set(tokens).size).toBe(100);
  for (const token of tokens) expect(Buffer.from(token, "base64url")).toHaveLength(32);
});
