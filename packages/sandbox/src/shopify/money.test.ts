import { describe, expect, test } from "vitest";
import { bagOf, fromDecimal, toDecimal, toShortDecimal } from "./money.ts";

describe("money", () => {
  test.each([
    [1230, "USD", "12.30", "12.3"],
    [1200, "USD", "12.00", "12.0"],
    [5, "USD", "0.05", "0.05"],
    [-5117, "USD", "-51.17", "-51.17"],
    [1500, "JPY", "1500", "1500.0"],
    [12_345, "KWD", "12.345", "12.345"],
  ])("%i of %s is %s in REST and %s in GraphQL", (minor, currency, rest, graphql) => {
    expect(toDecimal(minor, currency)).toBe(rest);
    expect(toShortDecimal(minor, currency)).toBe(graphql);
  });

  test.each([
    ["12.3", "USD", 1230],
    ["12.300", "USD", 1230],
    ["1500.0", "JPY", 1500],
    ["0.005", "USD", null],
    ["12,30", "USD", null],
    ["", "USD", null],
  ])("%j of %s is read as %j minor units", (text, currency, minor) => {
    expect(fromDecimal(text, currency)).toBe(minor);
  });

  test("turns euros into whole yen", () => {
    expect(bagOf(1995, "EUR", "JPY", 163.42)).toEqual({ shop: 1995, presentment: 3260 });
  });
});
