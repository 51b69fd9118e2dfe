import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { currencyExponent, parseDecimal } from "./money.ts";

describe("parseDecimal", () => {
  test.each([
    ["12.30", "EUR", 1230],
    ["12.3", "EUR", 1230],
    ["12", "EUR", 1200],
    ["-0.05", "USD", -5],
    ["-0.00", "USD", 0],
    ["10.0", "JPY", 10],
    ["1.234", "KWD", 1234],
    ["10", "usd", 1000],
  ])("%s %s is %i minor units", (text, currency, amount) => {
    expect(parseDecimal(text, currency)).toEqual({
      amount,
      currency: currency.toUpperCase(),
      exponent: currencyExponent(currency),
    });
  });

  test.each([
    ["0.005", 0],
    ["0.015", 2],
    ["0.025", 2],
    ["0.0251", 3],
    ["6.3333", 633],
    ["9.999", 1000],
    ["-0.015", -2],
  ])("%s USD rounds half to even, to %i", (text, amount) => {
    expect(parseDecimal(text, "USD").amount).toBe(amount);
  });

  test.each(["", "abc", "1e3", "1,000.00", " 1", "1.", ".5", "0x10", "NaN", "+1", "--1"])("refuses %j", (text) => {
    expect(() => parseDecimal(text, "USD")).toThrow(RangeError);
  });

  test("refuses what a double cannot hold exactly", () => {
    expect(parseDecimal("90071992547409.91", "USD").amount).toBe(Number.MAX_SAFE_INTEGER);
    expect(() => parseDecimal("90071992547409.92", "USD")).toThrow(RangeError);
  });

  test("is exact for every amount of minor units", () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.constantFrom("USD", "JPY", "KWD"), (amount, currency) => {
        const places = currencyExponent(currency);
        const digits = String(Math.abs(amount)).padStart(places + 1, "0");
        const whole = digits.slice(0, digits.length - places);
        const text = `${amount < 0 ? "-" : ""}${whole}${places === 0 ? "" : `.${digits.slice(-places)}`}`;
        expect(parseDecimal(text, currency).amount).toBe(amount);
      }),
    );
  });
});
