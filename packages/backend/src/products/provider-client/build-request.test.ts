import { describe, expect, test } from "vitest";
import { joinUrl } from "./build-request.ts";

const BASE = "https://acme.myshopify.com/admin/api/2026-10";

describe("joinUrl", () => {
  test("puts path and query below the base", () => {
    expect(joinUrl(BASE, "/graphql.json", { first: "10", after: "a b&c" }).href).toBe(
      "https://acme.myshopify.com/admin/api/2026-10/graphql.json?first=10&after=a+b%26c",
    );
  });

  test.each([
    "graphql.json",
    "//evil.example/",
    "/\\evil.example/",
    "/../../oauth/access_scopes.json",
    "/a/../../../x",
    "/..;/x",
    "/%2e%2e/x",
    "/%2E./x",
    "/a/%2e%2e%2fx",
    "/a%2f..%2fx",
    "/a/..",
    "/a/%2e%2e",
    "/%5c..%5cx",
    "/./x",
    "@evil.example/",
    ".evil.example/",
  ])("refuses %j", (path) => expect(() => joinUrl(BASE, path, {})).toThrow("leaves its API"));

  test.each(["/a.b/c..d", "/products/1.json", "/...", "/a@b"])("takes %j", (path) => {
    expect(joinUrl(BASE, path, {}).href).toBe(BASE + path);
  });
});
