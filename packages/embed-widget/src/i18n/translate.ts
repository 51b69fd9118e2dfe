import type { MessageKey, Messages } from "./en.ts";

export type Values = Readonly<Record<string, string | number>>;
export type Translate = (key: MessageKey, values?: Values) => string;

/** `{name}` or `{name, plural, one {…} other {…}}`; branches hold no further braces. */
const PLACEHOLDER = /\{(\w+)(?:, plural, ((?:\w+ \{[^{}]*\} ?)+))?\}/g;
const BRANCH = /(\w+) \{([^{}]*)\}/g;

/**
 * Makes the function that words everything, in one language. Numbers are written as the locale does.
 *
 * @param always values that every sentence may use
 */
export function createTranslate(
  locale: string,
  messages: Messages,
  overrides: Partial<Messages> = {},
  always: Values = {},
): Translate {
  const plurals = new Intl.PluralRules(locale);
  const numbers = new Intl.NumberFormat(locale);

  return (key, values) =>
    (overrides[key] ?? messages[key]).replace(PLACEHOLDER, (_whole, name: string, branches: string | undefined) => {
      const value = values?.[name] ?? always[name] ?? "";
      if (branches === undefined) return typeof value === "number" ? numbers.format(value) : value;
      const amount = Number(value);
      return pick(branches, plurals.select(amount)).replaceAll("#", numbers.format(amount));
    });
}

function pick(branches: string, category: string): string {
  const found = new Map(Array.from(branches.matchAll(BRANCH), ([, name, words]) => [name, words]));
  return found.get(category) ?? found.get("other") ?? "";
}

/** The locale of numbers and dates: what was asked for, else the page's kind of English, as the sentences are English. */
export function chooseLocale(asked: string | undefined, page: string): string {
  try {
    return Intl.getCanonicalLocales(asked ?? (/^en\b/i.test(page) ? page : "en"))[0] ?? "en";
  } catch {
    // Not a language tag.
    return "en";
  }
}
