import { describe, expect, test } from "vitest";
import { providerUrl } from "./provider-url.ts";

const URL_ = "https://acme.myshopify.com/admin/oauth/access_token?a=1";
const PARAMS = { shop: "acme.myshopify.com" };

describe("providerUrl", () => {
  test("is the provider's own without an override", () => {
    expect(providerUrl(URL_, null, PARAMS)).toBe(URL_);
  });

  test("replaces the origin and keeps path and query", () => {
    expect(providerUrl(URL_, "http://localhost:4403/_shops/{shop}", PARAMS)).toBe(
      "http://localhost:4403/_shops/acme.myshopify.com/admin/oauth/access_token?a=1",
    );
    expect(providerUrl(URL_, "http://localhost:4403/", PARAMS)).toBe(
      "http://localhost:4403/admin/oauth/access_token?a=1",
    );
  });

  test.each(["../x", "a/b", "", ".", "a?b", "a@b", "%2e"])("refuses the value %j", (shop) => {
    expect(() => providerUrl(URL_, "http://localhost:4403/{shop}", { shop })).toThrow();
  });

  test("refuses a template with a parameter that is not there", () => {
    expect(() => providerUrl(URL_, "http://localhost:4403/{portal}", PARAMS)).toThrow("portal");
  });
});
