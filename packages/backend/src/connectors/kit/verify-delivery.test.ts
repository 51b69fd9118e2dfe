import { createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { HmacSignature } from "./connector.ts";
import { restoreDelivery, verifyDelivery } from "./verify-delivery.ts";

const base64: HmacSignature = { algorithm: "sha256", encoding: "base64", headers: ["x-new", "x-sig"] };
const body = new TextEncoder().encode('{"id":820982911946154508,"note":"café"}');
const sign = (secret: string, raw: Uint8Array = body, encoding: "base64" | "hex" = "base64") =>
  createHmac("sha256", secret).update(raw).digest(encoding);

describe("verifyDelivery", () => {
  test("accepts the documented vector", () => {
    const raw = new TextEncoder().encode('{"id":820982911946154508}');
    const headers = { "x-sig": "5A3oQQfW+WMeNQwhapvpG0xvKI5Ip4Bp9W/9ifwwyGk=" };
    expect(verifyDelivery(base64, ["shopify-secret"], headers, raw)).toMatchObject({
      secretIndex: 0,
      delivery: { body: { id: "820982911946154508" } },
    });
  });

  test("tells which secret signed it", () => {
    const headers = { "x-sig": sign("old") };
    expect(verifyDelivery(base64, ["new", "old"], headers, body)).toMatchObject({ secretIndex: 1 });
  });

  test("reads hex where that is declared", () => {
    const hex: HmacSignature = { ...base64, encoding: "hex" };
    expect(verifyDelivery(hex, ["s"], { "x-sig": sign("s", body, "hex") }, body)).toMatchObject({ secretIndex: 0 });
  });

  test("the first declared header that is present counts", () => {
    const headers = { "x-sig": sign("s"), "x-new": sign("other") };
    expect(verifyDelivery(base64, ["s"], headers, body)).toEqual({ problem: "bad_signature" });
  });

  test.each([
    ["another secret", sign("other")],
    ["another body", sign("s", new TextEncoder().encode("{}"))],
    ["hex instead of base64", sign("s", body, "hex")],
    ["a short signature", sign("s").slice(0, 20)],
    ["a signature with a tail", `${sign("s")}AAAA`],
    ["a lenient spelling", sign("s").replace("=", "")],
    ["nothing", ""],
  ])("refuses %s", (_, signature) => {
    expect(verifyDelivery(base64, ["s"], { "x-sig": signature }, body)).toEqual({ problem: "bad_signature" });
  });

  test("refuses a delivery without a signature, and any when there is no secret", () => {
    expect(verifyDelivery(base64, ["s"], {}, body)).toEqual({ problem: "missing_signature" });
    expect(verifyDelivery(base64, [], { "x-sig": sign("") }, body)).toEqual({ problem: "bad_signature" });
  });

  test("a signed body that is no JSON is let in with a null body", () => {
    const raw = new TextEncoder().encode("not json");
    const headers = { "x-sig": sign("s", raw) };
    expect(verifyDelivery(base64, ["s"], headers, raw)).toMatchObject({ delivery: { body: null } });
    expect(restoreDelivery(headers, raw)).toEqual({ headers, body: null });
  });
});
