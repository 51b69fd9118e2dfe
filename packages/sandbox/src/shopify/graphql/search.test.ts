import { describe, expect, test } from "vitest";
import { compileSearch, type Searchable } from "./search.ts";

interface Row {
  readonly id: bigint;
  readonly at: Date;
  readonly status: string;
  readonly size: number;
}

const SPEC: Searchable<Row> = {
  fields: {
    id: (row) => [row.id],
    updated_at: (row) => [row.at],
    status: (row) => [row.status],
    size: (row) => [row.size],
  },
  text: (row) => [row.status],
};

const ROWS: readonly Row[] = [
  { id: 9_007_199_254_740_993n, at: new Date("2026-11-20T00:00:00Z"), status: "open", size: 1 },
  { id: 9_007_199_254_740_994n, at: new Date("2026-11-20T12:00:00Z"), status: "closed", size: 2 },
  { id: 9_007_199_254_740_995n, at: new Date("2026-11-21T00:00:00Z"), status: "cancelled", size: 3 },
];

describe("search", () => {
  test.each([
    ["", [1, 2, 3]],
    ["updated_at:>='2026-11-20T12:00:00Z'", [2, 3]],
    ["updated_at:>='2026-11-20T00:00:00Z' AND updated_at:<'2026-11-21T00:00:00Z'", [1, 2]],
    ['updated_at:>"2026-11-20T12:00:00Z"', [3]],
    ["updated_at:>2026-11-20T12:00:00Z", [3]],
    ["updated_at:2026-11-20", [1, 2]],
    ["status:open OR status:closed", [1, 2]],
    ["status:c*", [2, 3]],
    ["-status:open", [2, 3]],
    ["NOT (status:open OR size:3)", [2]],
    ["status:open size:>1", []],
    ["id:9007199254740994", [2]],
    ["id:gid://shopify/Order/9007199254740994", [2]],
    ["id:>9007199254740993", [2, 3]],
    ["cancel", [3]],
    ["updatd_at:>='2026-01-01'", []],
  ])("%j finds %j", (query, sizes) => {
    expect(ROWS.filter(compileSearch(query, SPEC)).map((row) => row.size)).toEqual(sizes);
  });

  test("ends on text that is no query", () => {
    expect(() => ROWS.filter(compileSearch("((( AND :: '", SPEC))).not.toThrow();
  });
});
