const NUMBER = new Intl.NumberFormat("en");
const DAY = new Intl.DateTimeFormat("en", { day: "numeric", month: "short", timeZone: "UTC" });
const DATE = new Intl.DateTimeFormat("en", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
const AGO = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "short" });
const STEPS = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
] as const;

/** `(4200, "EUR", 2)` → `€42.00`: minor units as people write them, with a true minus. */
export function money(amount: number, currency: string, exponent: number): string {
  const digits = { minimumFractionDigits: exponent, maximumFractionDigits: exponent };
  return new Intl.NumberFormat("en", { style: "currency", currency, ...digits })
    .format(amount / 10 ** exponent)
    .replace("-", "−");
}

/** Without the digits behind the point, for places with little room. */
export function roundMoney(amount: number, currency: string, exponent: number): string {
  const options = { style: "currency", currency, maximumFractionDigits: 0 } as const;
  return new Intl.NumberFormat("en", options).format(amount / 10 ** exponent);
}

export function count(value: number, one: string, many = `${one}s`): string {
  return `${NUMBER.format(value)} ${value === 1 ? one : many}`;
}

export function number(value: number): string {
  return NUMBER.format(value);
}

export function day(date: Date): string {
  return DAY.format(date);
}

/** `3 min. ago`; from a week on the date. */
export function ago(date: Date, now: Date): string {
  const seconds = Math.round((now.getTime() - date.getTime()) / 1000);
  if (seconds >= 7 * 86_400) return DATE.format(date);
  for (const [unit, length] of STEPS) {
    if (seconds >= length) return AGO.format(-Math.floor(seconds / length), unit);
  }
  return "just now";
}

/** `84 ms`, `1.4 s`, `12 min`. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  return `${Math.round(ms / 60_000)} min`;
}

/** `partially_refunded` → `Partially refunded`. */
export function label(code: string): string {
  const words = code.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
