import { expect, test } from "vitest";
import { stringify } from "./json.ts";

test("writes an id beyond 2^53 with all its digits, as a number", () => {
  expect(stringify({ id: 820_982_911_946_154_508n, tags: ["a", null], ok: true })).toBe(
    '{"id":820982911946154508,"tags":["a",null],"ok":true}',
  );
});

test("escapes text as JSON does", () => {
  expect(stringify({ 'quo"te': "café ☕\n" })).toBe(JSON.stringify({ 'quo"te': "café ☕\n" }));
});
