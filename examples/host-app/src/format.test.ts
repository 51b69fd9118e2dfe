import { expect, test } from "vitest";
import { ago, duration, label, money } from "./format.ts";
import { NOW } from "./testing.ts";

test.each([
  [4200, "EUR", 2, "€42.00"],
  [-2450, "USD", 2, "−$24.50"],
  [12_800, "JPY", 0, "¥12,800"],
  [1234, "KWD", 3, "KWD 1.234"],
])("%i %s with exponent %i reads %s", (amount, currency, exponent, text) => {
  expect(money(amount, currency, exponent).replace(/\s/, " ")).toBe(text);
});

test.each([
  [5_000, "just now"],
  [119_000, "1 min. ago"],
  [7_200_000, "2 hr. ago"],
  [86_400_000, "yesterday"],
  [8 * 86_400_000, "Nov 14, 2026"],
  [-5_000, "just now"],
])("%i ms before now reads %s", (ms, text) => {
  expect(ago(new Date(NOW.getTime() - ms), NOW)).toBe(text);
});

test.each([
  [84.4, "84 ms"],
  [1420, "1.4 s"],
  [120_000, "2 min"],
])("%d ms reads %s", (ms, text) => {
  expect(duration(ms)).toBe(text);
});

test("codes read as words", () => {
  expect(label("partially_refunded")).toBe("Partially refunded");
});
