import { Hono } from "hono";
import { describe, expect, test } from "vitest";
import { createClientAddress } from "./client-address.ts";
import type { HttpEnv } from "./env.ts";

async function addressOf(input: { peer?: string; forwarded?: string; trusted?: readonly string[] }) {
  const app = new Hono<HttpEnv>();
  const read = createClientAddress(input.trusted ?? []);
  app.get("/", (c) => c.json(read(c)));
  const headers = input.forwarded === undefined ? {} : { "x-forwarded-for": input.forwarded };
  const env = input.peer === undefined ? undefined : { incoming: { socket: { remoteAddress: input.peer } } };
  return (await app.request("/", { headers }, env)).json();
}

const PROXY = { peer: "10.0.0.1", trusted: ["10.0.0.0/8"] };

describe("the client's address", () => {
  test("is the peer's", async () => {
    expect(await addressOf({ peer: "::ffff:203.0.113.7" })).toBe("203.0.113.7");
    expect(await addressOf({})).toBeNull();
  });

  test.each([
    ["no proxy is trusted", { peer: "10.0.0.1", forwarded: "203.0.113.7" }, "10.0.0.1"],
    ["the peer is not one of the trusted", { ...PROXY, peer: "192.0.2.1", forwarded: "203.0.113.7" }, "192.0.2.1"],
    ["the proxy names nobody", PROXY, "10.0.0.1"],
  ])("does not come from a header when %s", async (_, input, address) => {
    expect(await addressOf(input)).toBe(address);
  });

  test.each([
    ["whom the proxy names", "203.0.113.7", "203.0.113.7"],
    ["the last one that a proxy of ours did not name itself", "198.51.100.9, 203.0.113.7, 10.0.0.9", "203.0.113.7"],
    ["not what the client wrote before it", "1.1.1.1, 203.0.113.7", "203.0.113.7"],
    ["whom it names with a port", "203.0.113.7:54321", "203.0.113.7"],
    ["whom it names with a port, by IPv6", "[2001:db8::7]:54321", "2001:db8::7"],
    ["nobody, and not the proxy, when it cannot be read", "unknown", null],
    ["nobody when what stands there is no address", "203.0.113.7, 1.2.3.4.5", null],
  ])("behind a trusted proxy is %s", async (_, forwarded, address) => {
    expect(await addressOf({ ...PROXY, forwarded })).toBe(address);
  });

  test("is looked for in the last hops alone", async () => {
    const forwarded = ["203.0.113.7", ...Array.from({ length: 5_000 }, () => "10.0.0.2")].join(",");
    expect(await addressOf({ ...PROXY, forwarded })).toBe("10.0.0.2");
  });
});
