import { describe, expect, test } from "vitest";
import { normalizeShopDomain, shopParameter } from "./shop-domain.ts";

describe("normalizeShopDomain", () => {
  test.each([
    "acme",
    "ACME",
    "  acme  ",
    "acme/",
    "acme.myshopify.com",
    "Acme.MyShopify.com//",
    "https://acme.myshopify.com",
    "http://acme.myshopify.com/admin/orders?limit=1#top",
    "acme.myshopify.com?a=b",
    "https://admin.shopify.com/store/acme",
    "admin.shopify.com/store/acme/",
    "https://admin.shopify.com/store/ACME/products/1?x=y",
  ])("%j is acme.myshopify.com", (input) => {
    expect(normalizeShopDomain(input)).toBe("acme.myshopify.com");
  });

  test.each([
    "",
    " ",
    "-acme",
    "acme_shop",
    "acme.com",
    "www.acme.com",
    "acme.myshopify.io",
    "acme.shopify.com",
    "myshopify.com",
    ".myshopify.com",
    "a.b.myshopify.com",
    "acme.myshopify.com.evil.com",
    "evil.com/acme.myshopify.com",
    "evil.com#acme.myshopify.com",
    "evil.com?acme.myshopify.com",
    "acme.myshopify.com@evil.com",
    "user@acme.myshopify.com",
    "user:pass@acme.myshopify.com",
    "acme.myshopify.com:8443",
    "acme.myshopify.com\\@evil.com",
    "ftp://acme.myshopify.com",
    "javascript:acme.myshopify.com",
    "//acme.myshopify.com",
    "acme\n.myshopify.com",
    "acme.myshopify.com\nevil.com",
    "ac me",
    "аcme", // Cyrillic а
    "acme\u212a", // Kelvin sign, which lower-cases to k
    "ａｃｍｅ",
    "127.0.0.1",
    "localhost:3000",
    "admin.shopify.com/store/",
    "admin.shopify.com/acme",
    "evil.admin.shopify.com/store/acme",
    "a".repeat(64),
    "a".repeat(10_000),
  ])("%j is refused", (input) => {
    expect(normalizeShopDomain(input)).toBeNull();
  });

  test("the pattern refuses what a caller might pass around normalize", () => {
    for (const value of ["acme", "acme.myshopify.com\n", "ACME.myshopify.com", "acme.myshopify.com/x"]) {
      expect(shopParameter.pattern.test(value)).toBe(false);
    }
    expect(shopParameter.pattern.test("acme.myshopify.com")).toBe(true);
  });
});
