import { describe, expect, test } from "vitest";
import { checkParameter } from "./parameters.ts";

const shop = { suffix: ".myshopify.com" };

describe("checkParameter", () => {
  test.each([
    "acme",
    "  Acme ",
    "acme.myshopify.com",
    "ACME.myshopify.com/",
    "https://acme.myshopify.com/admin/orders?page=2",
    "http://acme.myshopify.com#top",
    "https://admin.shopify.com/store/acme",
    "admin.shopify.com/store/acme/settings/apps?x=1",
  ])("reads %j as one store", (typed) => {
    expect(checkParameter(shop, typed)).toEqual({ ok: true, value: "acme.myshopify.com" });
  });

  test.each([
    "",
    "   ",
    "ac me",
    "acme!",
    "-acme",
    ".myshopify.com",
    "a.b.myshopify.com",
    "https://admin.shopify.com/",
  ])("asks for the right form of %j", (typed) => {
    expect(checkParameter(shop, typed)).toMatchObject({ ok: false });
  });

  test.each(["www.acme.com", "https://acme.com/products", "shop.acme.co.uk"])(
    "recognizes the public website %j",
    (typed) => {
      expect(checkParameter(shop, typed)).toEqual({ ok: false, problem: "publicSite" });
    },
  );

  test("keeps a value as typed where no suffix is declared", () => {
    expect(checkParameter({ suffix: null }, " Acme Inc ")).toEqual({ ok: true, value: "Acme Inc" });
  });
});
