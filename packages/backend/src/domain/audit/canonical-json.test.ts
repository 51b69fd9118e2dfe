import { describe, expect, test } from "vitest";
import { canonicalJson } from "./canonical-json.ts";

describe("canonicalJson", () => {
  test("sorts and writes as RFC 8785 does in its own example", () => {
    // Section 3.2.2, with the result of section 3.2.3.
    const value = {
      numbers: [Number("333333333.33333329"), 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
      string: '\u20ac$\u000f\nA\'B"\\\\"/',
      literals: [null, true, false],
    };
    expect(canonicalJson(value)).toBe(
      String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    );
  });

  test("sorts names by code units, not by a language", () => {
    // Section 3.2.3 of RFC 8785.
    const names = ["\u20ac", "\r", "\ufb33", "1", "\ud83d\ude00", "\u0080", "\u00f6"];
    const text = canonicalJson(Object.fromEntries(names.map((name, at) => [name, at])));
    expect(Object.keys(JSON.parse(`{${text.slice(1, -1)}}`) as object).toSorted()).toEqual(names.toSorted());
    expect([...text.matchAll(/:(\d)/g)].map(([, at]) => Number(at))).toEqual([1, 3, 5, 6, 0, 4, 2]);
  });

  test("refuses what is no JSON", () => {
    expect(() => canonicalJson(undefined)).toThrow("not a JSON value");
    expect(() => canonicalJson({ a: undefined })).toThrow("not a JSON value");
  });
});
