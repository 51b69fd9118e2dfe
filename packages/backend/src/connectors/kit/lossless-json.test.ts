import { describe, expect, test } from "vitest";
import { parseJson } from "./lossless-json.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

describe("parseJson", () => {
  test.each([
    ['{"id":820982911946154508}', { id: "820982911946154508" }],
    ['{"id":-820982911946154508}', { id: "-820982911946154508" }],
    ['{"id":9007199254740991}', { id: 9007199254740991 }],
    ['{"id":9007199254740993}', { id: "9007199254740993" }],
    ["[1e400]", ["1e400"]],
    ["[1e3, 89.99]", [1000, 89.99]],
    ['{"a":[{"b":123456789012345678901234567890}]}', { a: [{ b: "123456789012345678901234567890" }] }],
    ['"820982911946154508"', "820982911946154508"],
    ["null", null],
  ])("%s keeps every digit", (text, value) => {
    expect(parseJson(text)).toEqual({ value });
    expect(parseJson(bytes(text))).toEqual({ value });
  });

  test.each(["", "{", "{'a':1}", "[1,]", "undefined", '{"id":820982911946154508'])("%j is not JSON", (text) => {
    expect(parseJson(text)).toEqual({ problem: "not_json" });
  });

  test("bytes that are not UTF-8 are not JSON", () => {
    expect(parseJson(new Uint8Array([0x22, 0xff, 0x22]))).toEqual({ problem: "not_json" });
  });

  test("depth counts brackets outside strings, up to the limit and no further", () => {
    const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
    expect(parseJson(nested(64))).toHaveProperty("value");
    expect(parseJson(nested(65))).toEqual({ problem: "too_deep" });
    expect(parseJson('{"a":"[[[[","b":"\\"[[","c":"\\\\"}', { maxDepth: 1 })).toHaveProperty("value");
    expect(parseJson('{"c":"\\\\","d":[1]}', { maxDepth: 1 })).toEqual({ problem: "too_deep" });
  });

  test("a million brackets are refused without a deep stack", () => {
    expect(parseJson("[".repeat(1_000_000))).toEqual({ problem: "too_deep" });
  });

  test("__proto__ is an ordinary key", () => {
    const parsed = parseJson('{"__proto__":{"admin":true},"id":820982911946154508}');
    expect(parsed).toHaveProperty("value");
    expect(Object.keys("value" in parsed ? (parsed.value as object) : {})).toContain("__proto__");
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });
});
