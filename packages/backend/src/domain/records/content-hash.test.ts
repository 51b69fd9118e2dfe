import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalJson, changedFields, contentHash } from "./content-hash.ts";

describe("contentHash", () => {
  test("is equal for equal content, whatever the order of its keys at any depth", () => {
    expect(contentHash({ a: { x: 1, y: [{ p: 1, q: 2 }] }, b: 2 })).toEqual(
      contentHash({ b: 2, a: { y: [{ q: 2, p: 1 }], x: 1 } }),
    );
  });

  test.each([
    ["a value", { a: 1 }, { a: 2 }],
    ["a type", { a: 1 }, { a: "1" }],
    ["the order of a list", { a: [1, 2] }, { a: [2, 1] }],
    ["null and an empty text", { a: null }, { a: "" }],
    ["where a text ends", { a: "x", b: "" }, { a: "", b: "x" }],
  ])("differs by %s", (_, one, other) => {
    expect(contentHash(one)).not.toEqual(contentHash(other));
  });

  test("does not move with the provider's time", () => {
    expect(contentHash({ a: 1, remoteUpdatedAt: "x" })).toEqual(contentHash({ a: 1, remoteUpdatedAt: "y" }));
  });

  test("survives a way through JSON", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (data) => {
        expect(canonicalJson(JSON.parse(JSON.stringify(data)))).toBe(canonicalJson(data));
      }),
    );
  });
});

describe("changedFields", () => {
  test("names what differs, sorted, and not the provider's time", () => {
    const before = { b: 1, a: [1], same: { x: 1, y: 2 }, gone: 1, remoteUpdatedAt: "x" };
    const after = { b: 2, a: [2], same: { y: 2, x: 1 }, come: 1, remoteUpdatedAt: "y" };
    expect(changedFields(before, after)).toEqual(["a", "b", "come", "gone"]);
  });
});
