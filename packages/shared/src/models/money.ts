/**
 * Money is an integer of minor units with its currency and that currency's exponent: 12.30 EUR is
 * `{amount: 1230, currency: "EUR", exponent: 2}`. Never a float.
 *
 * @module
 */

export interface Money {
  /** Minor units; a safe integer. */
  readonly amount: number;
  /** ISO 4217, upper case. */
  readonly currency: string;
  /** Digits behind the point in this currency. */
  readonly exponent: number;
}

/**
 * Currencies of payment whose minor unit is not a hundredth.
 *
 * @see ISO 4217, list one (checked 2026-11-22)
 */
const EXPONENTS: Readonly<Record<string, number>> = {
  ...exponentOf(0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"),
  ...exponentOf(3, "BHD IQD JOD KWD LYD OMR TND"),
};

/** Digits behind the point: 2 for every currency that ISO 4217 does not list otherwise, known to us or not. */
export function currencyExponent(currency: string): number {
  return EXPONENTS[currency.toUpperCase()] ?? 2;
}

const DECIMAL = /^(-?)(\d{1,20})(?:\.(\d{1,20}))?$/;

/**
 * A decimal string such as `"10.0"` as minor units, by exact arithmetic on its digits.
 *
 * Digits beyond the currency's exponent are rounded half to even. Providers print zeros there (`"10.0"` JPY), and
 * now and then a computed share (`"6.3333"` USD): refusing those would lose a whole order over half a cent, cutting
 * them would shift every sum the same way, half to even does neither.
 *
 * @throws RangeError when `text` is not a plain decimal or does not fit into a safe integer
 */
export function parseDecimal(text: string, currency: string): Money {
  const [, sign, whole, fraction = ""] = DECIMAL.exec(text) ?? [];
  if (whole === undefined) throw new RangeError("amount is not a decimal");
  const exponent = currencyExponent(currency);
  const kept = BigInt(whole + fraction.slice(0, exponent).padEnd(exponent, "0"));
  const magnitude = Number(kept + roundUp(kept, fraction.slice(exponent)));
  if (!Number.isSafeInteger(magnitude)) throw new RangeError("amount is beyond 2^53 minor units");
  return {
    amount: sign === "-" && magnitude !== 0 ? -magnitude : magnitude,
    currency: currency.toUpperCase(),
    exponent,
  };
}

/** 1n when `dropped` digits lift `kept` to the next unit, half to even. */
function roundUp(kept: bigint, dropped: string): bigint {
  const half = "5".padEnd(dropped.length, "0");
  if (dropped === "" || dropped < half) return 0n;
  return dropped > half ? 1n : kept & 1n;
}

function exponentOf(exponent: number, currencies: string): Record<string, number> {
  return Object.fromEntries(currencies.split(" ").map((currency) => [currency, exponent]));
}
