import { describe, expect, test } from "vitest";
import { EVENT_CATALOGUE, PatchbayEvent } from "./catalogue.ts";
import { EVENT_TYPES } from "./types.ts";

describe.each(EVENT_TYPES)("%s", (type) => {
  const { schema, example, summary } = EVENT_CATALOGUE[type];

  test("has an example that is of its type", () => {
    expect(schema.parse(example)).toEqual(example);
    expect(example.type).toBe(type);
    expect(PatchbayEvent.parse(example)).toEqual(example);
  });

  test("says when it is sent", () => expect(summary).toMatch(/\.$/));

  test("is not of another type's shape", () => {
    const others = EVENT_TYPES.filter((other) => other !== type);
    expect(others.filter((other) => EVENT_CATALOGUE[other].schema.safeParse(example).success)).toEqual([]);
  });
});
