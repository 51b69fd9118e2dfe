import type { Bag } from "./model.ts";

export const ZERO: Bag = { shop: 0, presentment: 0 };

const ZERO_DECIMAL = new Set([
  "BIF",
  "CLP",
  "DJF",
  "GNF",
  "JPY",
  "KMF",
  "KRW",
  "PYG",
  "RWF",
  "UGX",
  "VND",
  "VUV",
  "XAF",
  "XOF",
  "XPF",
]);
const THREE_DECIMAL = new Set(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"]);

export function decimalsOf(currency: string): number {
  if (ZERO_DECIMAL.has(currency)) return 0;
  return THREE_DECIMAL.has(currency) ? 3 : 2;
}

/** `1230` → `"12.30"`, in yen `"1230"`: how REST bodies and the scalar `Money` write an amount. */
export function toDecimal(minor: number, currency: string): string {
  const decimals = decimalsOf(currency);
  if (decimals === 0) return String(minor);
  const digits = String(Math.abs(minor)).padStart(decimals + 1, "0");
  return `${minor < 0 ? "-" : ""}${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}

/** `1230` → `"12.3"`, `1200` → `"12.0"`, in yen `"1230.0"`: how the GraphQL scalar `Decimal` writes it. */
export function toShortDecimal(minor: number, currency: string): string {
  const decimal = toDecimal(minor, currency);
  if (!decimal.includes(".")) return `${decimal}.0`;
  return decimal.replace(/0+$/, "").replace(/\.$/, ".0");
}

/** Reads a decimal string into minor units; null when it is none or has more places than the currency. */
export function fromDecimal(text: string, currency: string): number | null {
  const match = /^(-?)(\d{1,12})(?:\.(\d{1,6}))?$/.exec(text.trim());
  if (!match) return null;
  const decimals = decimalsOf(currency);
  const fraction = (match[3] ?? "").replace(/0+$/, "");
  if (fraction.length > decimals) return null;
  const minor = Number(`${match[2] ?? "0"}${fraction.padEnd(decimals, "0")}`);
  return match[1] === "-" ? -minor : minor;
}

export function add(...bags: readonly Bag[]): Bag {
  return bags.reduce(
    (sum, bag) => ({ shop: sum.shop + bag.shop, presentment: sum.presentment + bag.presentment }),
    ZERO,
  );
}

export function subtract(a: Bag, b: Bag): Bag {
  return { shop: a.shop - b.shop, presentment: a.presentment - b.presentment };
}

/** Multiplies both sides and rounds each by itself, as a store does that prices in two currencies. */
export function scale(bag: Bag, factor: number): Bag {
  return { shop: Math.round(bag.shop * factor), presentment: Math.round(bag.presentment * factor) };
}

export function isZero(bag: Bag): boolean {
  return bag.shop === 0 && bag.presentment === 0;
}

/** Turns an amount of the shop's currency into both currencies. `rate`: presentment units per shop unit. */
export function bagOf(shopMinor: number, shopCurrency: string, presentmentCurrency: string, rate: number): Bag {
  if (shopCurrency === presentmentCurrency) return { shop: shopMinor, presentment: shopMinor };
  const exponent = decimalsOf(presentmentCurrency) - decimalsOf(shopCurrency);
  return { shop: shopMinor, presentment: Math.round(shopMinor * rate * 10 ** exponent) };
}
