import { describe, expect, test } from "vitest";
import { isNetwork, networkOf, networksOf, normalizeAddress } from "./index.ts";

describe("networks", () => {
  test.each([
    ["10.0.0.0/8", "10.255.1.2", true],
    ["10.0.0.0/8", "11.0.0.1", false],
    ["203.0.113.7", "203.0.113.7", true],
    ["203.0.113.7", "203.0.113.8", false],
    ["203.0.113.7", "::ffff:203.0.113.7", true],
    ["::ffff:10.0.0.0/104", "10.1.1.1", true],
    ["2001:db8::/32", "2001:db8:1::1", true],
    ["2001:db8::/32", "2001:db9::1", false],
    ["0.0.0.0/0", "::1", false],
    ["::/0", "10.0.0.1", false],
    ["10.0.0.0/8", "0x0a.1", false],
  ])("%s holds %s: %s", (network, address, holds) => {
    expect(networksOf([network]).contains(address)).toBe(holds);
  });

  test.each([
    "10.0.0.0/33",
    "10.0.0.0/",
    "10/8",
    "1",
    "::1/129",
    "10.0.0.0/8/8",
    "fe80::1%eth0",
    "a.example",
    "",
    "10.0.0.1/-1",
  ])("%j is none", (text) => {
    expect(isNetwork(text)).toBe(false);
  });

  test("of nothing hold nothing", () => {
    expect(networksOf([]).contains("10.0.0.1")).toBe(false);
  });
});

describe("an address", () => {
  test.each([
    ["::ffff:1.2.3.4", "1.2.3.4"],
    ["2001:DB8:0:0::1", "2001:db8::1"],
    ["fe80::1%eth0", "fe80::1"],
    ["1.2.3.4:80", null],
    ["unknown", null],
    ["1", null],
  ])("%s is written as %s", (text, written) => {
    expect(normalizeAddress(text)).toBe(written);
  });

  test("of a person is kept as its network", () => {
    expect([networkOf("203.0.113.77"), networkOf("2001:db8:1:2::3")]).toEqual(["203.0.113.0/24", "2001:db8:1::/48"]);
  });
});
