import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { MUTANTS, mutate } from "./mutants.ts";

const SOURCE = new URL("../../../packages/backend/src/", import.meta.url);

describe("the planted bugs", () => {
  test.each(MUTANTS)("fit the product as it is now: $name", (mutant) => {
    for (const { file } of mutant.edits) {
      const source = readFileSync(new URL(file, SOURCE), "utf8");
      expect(mutate(mutant, file, source)).not.toBe(source);
    }
  });

  test("refuse a product that they do not fit", () => {
    expect(() => mutate(MUTANTS[0], MUTANTS[0].edits[0].file, "nothing of that kind")).toThrow("0 times");
  });
});
