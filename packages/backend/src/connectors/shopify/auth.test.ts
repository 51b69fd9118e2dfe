import { createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import { oauth2, scopes } from "./auth.ts";

const shop = "some-shop.myshopify.com";
const params = { shop };
const now = new Date("2026-11-20T12:00:00Z");
const seconds = now.getTime() / 1000;

function query(overrides: Record<string, string> = {}, secret = "hush"): URLSearchParams {
  const signed = new URLSearchParams({
    code: "abc",
    host: "YWRtaW4=",
    shop,
    state: "s1",
    timestamp: String(seconds),
    ...overrides,
  });
  signed.sort();
  const message = signed.toString().replaceAll("+", "%20");
  signed.set("hmac", createHmac("sha256", secret).update(message).digest("hex"));
  return signed;
}

const verify = (callback: URLSearchParams, at = now) =>
  oauth2.verifyCallback({ query: callback, params, clientSecret: "hush", now: at });

describe("verifyCallback", () => {
  test("accepts the documented example at its time", () => {
    const documented = new URLSearchParams(
      "code=0907a61c0c8d55e99db179b68161bc00&hmac=700e2dadb827fcc8609e9d5ce208b2e9cdaab9df07390d2cbca10d7c328fc4bf&shop=some-shop.myshopify.com&state=0.6784241404160823&timestamp=1337178173",
    );
    expect(verify(documented, new Date(1337178173_000))).toBeNull();
  });

  test("spaces count as %20, whatever the query spelled", () => {
    expect(verify(query({ state: "a b+c" }))).toBeNull();
  });

  test("`signature` is not part of what is signed", () => {
    const callback = query();
    callback.set("signature", "legacy");
    expect(verify(callback)).toBeNull();
  });

  test.each([
    ["another secret", query({}, "other")],
    ["no signature", new URLSearchParams({ shop, timestamp: String(seconds) })],
    ["a changed parameter", new URLSearchParams([...query()].map(([k, v]) => [k, k === "code" ? "other" : v]))],
    ["a parameter more", new URLSearchParams([...query(), ["extra", "1"]])],
    ["a parameter twice", new URLSearchParams([...query(), ["shop", "evil.myshopify.com"]])],
    [
      "an upper-case signature",
      new URLSearchParams([...query()].map(([k, v]) => [k, k === "hmac" ? v.toUpperCase() : v])),
    ],
  ])("refuses %s", (_, callback) => {
    expect(verify(callback)).toBe("bad_hmac");
  });

  test("refuses a parameter that comes twice, though it is signed: two readers might differ on it", () => {
    const twice = new URLSearchParams([
      ["shop", shop],
      ["shop", "evil.myshopify.com"],
      ["timestamp", String(seconds)],
    ]);
    twice.set("hmac", createHmac("sha256", "hush").update(twice.toString()).digest("hex"));
    expect(verify(twice)).toBe("bad_hmac");
  });

  test.each([
    [-91, "stale_timestamp"],
    [-90, null],
    [90, null],
    [91, "stale_timestamp"],
  ])("a timestamp %i s off is %s", (offset, problem) => {
    expect(verify(query({ timestamp: String(seconds + offset) }))).toBe(problem);
  });

  test("a timestamp that is none is stale", () => {
    expect(verify(query({ timestamp: "soon" }))).toBe("stale_timestamp");
  });

  test("refuses another shop's callback, though it is signed", () => {
    expect(verify(query({ shop: "other.myshopify.com" }))).toBe("wrong_account");
  });
});

describe("auth", () => {
  test("URLs are the shop's own", () => {
    expect(oauth2.authorizeUrl(params)).toBe("https://some-shop.myshopify.com/admin/oauth/authorize");
    expect(oauth2.tokenUrl(params)).toBe("https://some-shop.myshopify.com/admin/oauth/access_token");
  });

  test.each([{}, { shop: "evil.com" }, { shop: "evil.com/.myshopify.com" }])("no URL is made for %j", (bad) => {
    expect(() => oauth2.tokenUrl(bad)).toThrow("valid shop domain");
  });

  test.each([
    [["read_orders"], "read_orders", true],
    [["write_orders"], "read_orders", true],
    [["read_orders"], "write_orders", false],
    [["read_all_orders"], "read_orders", false],
    [[], "read_orders", false],
  ])("%j covers %s: %s", (granted, needed, expected) => {
    expect(scopes.covers(granted, needed)).toBe(expected);
  });
});
