import type { MessageKey, Messages } from "./en.ts";

export type Values = Readonly<Record<string, string | number>>;
export type Translate = (key: MessageKey, values?: Values) => string;

/** `{name}` or `{name, plural, one {…} other {…}}`; branches hold no further braces. */
const PLACEHOLDER = /\{(\w+)(?:, plural, ((?:[=\w]+ \{[^{}]*\} ?)+))?\}/g;
const BRANCH = /([=\w]+) \{([^{}]*)\}/g;

/** Makes the function that words everything, in one language. Numbers are written as the locale does. */
export function createTranslate(locale: string, messages: Messages, overrides: Partial<Messages> = {}): Translate {
  const plurals = new Intl.PluralRules(locale);
  const numbers = new Intl.NumberFormat(locale);
  const write = (value: string | number | undefined): string =>
    typeof value === "number" ? numbers.format(value) : (value ?? "");

  return (key, values = {}) =>
    (overrides[key] ?? messages[key]).replace(PLACEHOLDER, (_whole, name: string, branches: string | undefined) => {
      const value = values[name];
      if (branches === undefined) return write(value);
      const amount = Number(value ?? 0);
      return pick(branches, amount, plurals.select(amount)).replaceAll("#", numbers.format(amount));
    });
}

function pick(branches: string, amount: number, category: string): string {
  const found = new Map(Array.from(branches.matchAll(BRANCH), (branch) => [branch[1] ?? "", branch[2] ?? ""]));
  return found.get(`=${amount}`) ?? found.get(category) ?? found.get("other") ?? "";
}

/** The first of the wished tags that `Intl` accepts. */
export function usableLocale(...wished: readonly (string | null | undefined)[]): string {
  for (const tag of wished) {
    if (!tag) continue;
    try {
      return Intl.getCanonicalLocales(tag)[0] ?? "en";
    } catch {
      // Not a language tag: the next one counts.
    }
  }
  return "en";
}
