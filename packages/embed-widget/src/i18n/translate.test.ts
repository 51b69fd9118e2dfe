import { describe, expect, test } from "vitest";
import { en } from "./en.ts";
import { chooseLocale, createTranslate } from "./translate.ts";

describe("createTranslate", () => {
  const t = createTranslate("en", en, {}, { app: "Shopify", host: "Northwind" });

  test("fills in names that every sentence may use", () => {
    expect(t("consentPassword")).toBe("You sign in on Shopify. Northwind never sees your password.");
  });

  test.each([
    [1, "1 record imported"],
    [0, "0 records imported"],
    [5_012, "5,012 records imported"],
  ])("counts %i in the plural of the locale", (done, words) => {
    expect(t("importCompleted", { done })).toBe(words);
  });

  test("writes numbers as the locale does", () => {
    expect(createTranslate("de", en)("importCounts", { done: 1_240, total: 5_012 })).toBe("1.240 of 5.012 records");
  });

  test("uses the plural categories of the locale", () => {
    const polish = { rateMinutes: "{n, plural, one {# minuta} few {# minuty} many {# minut} other {# minuty}}" };
    const words = createTranslate("pl", en, polish);
    expect([1, 3, 5].map((n) => words("rateMinutes", { n }))).toEqual(["1 minuta", "3 minuty", "5 minut"]);
  });

  test("takes a value literally, whatever it holds", () => {
    expect(t("parametersNotFound", { value: "$& {app}" })).toContain("at $& {app}.");
  });

  test("prefers the sentences of the host", () => {
    expect(createTranslate("en", en, { close: "Shut" })("close")).toBe("Shut");
  });
});

describe("the English sentences", () => {
  test("name no vendor, and have balanced braces", () => {
    for (const [key, words] of Object.entries(en)) {
      expect(words, key).not.toMatch(/patchbay|oops|provider/i);
      expect(words.split("{").length, key).toBe(words.split("}").length);
    }
  });
});

describe("chooseLocale", () => {
  test.each([
    ["de", "fr", "de"],
    [undefined, "en-GB", "en-GB"],
    [undefined, "fr", "en"],
    ["en_US", "en", "en"],
  ])("asked %j on a page in %j writes numbers as %j", (asked, page, locale) => {
    expect(chooseLocale(asked, page)).toBe(locale);
  });
});
