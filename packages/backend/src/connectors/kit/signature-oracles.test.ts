/** What we sign, as the providers' own libraries see it; `verify-signature.test.ts` has the other way about. */
import { Signature } from "@hubspot/api-client";
import * as fc from "fast-check";
import { Webhook as StandardWebhook } from "standardwebhooks";
import Stripe from "stripe";
import { Webhook as SvixWebhook } from "svix";
import { describe, expect, test } from "vitest";
import { signDelivery } from "./sign-delivery.ts";
import type { SignatureScheme, SignedRequest } from "./signature.ts";
import { verifySignature } from "./verify-signature.ts";

const WHSEC = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
const OTHER = `whsec_${Buffer.alloc(32, 8).toString("base64")}`;
const STRIPE: SignatureScheme = {
  kind: "timestamped",
  header: "stripe-signature",
  encoding: "hex",
  timeKey: "t",
  signatureKey: "v1",
  toleranceSeconds: 300,
};
const HUBSPOT: SignatureScheme = {
  kind: "request",
  header: "x-hubspot-signature-v3",
  timeHeader: "x-hubspot-request-timestamp",
  encoding: "base64",
  decodes: ["%3A", "%2F", "%3F", "%40", "%21", "%24", "%27", "%28", "%29", "%2A", "%2C", "%3B"],
  toleranceSeconds: 300,
};

describe("Stripe", () => {
  const stripe = new Stripe("sk_test_none");
  const snapshot = { id: "evt_1", object: "event", type: "charge.succeeded", data: { object: { id: "ch_1" } } };
  const thin = {
    id: "evt_2",
    object: "v2.core.event",
    type: "v1.billing.meter.error_report_triggered",
    related_object: { id: "mtr_1", type: "billing.meter", url: "/v1/billing/meters/mtr_1" },
  };

  test.each([
    [
      "snapshot",
      snapshot,
      (text: string, header: string, secret: string) => stripe.webhooks.constructEvent(text, header, secret).id,
    ],
    [
      "thin",
      thin,
      (text: string, header: string, secret: string) => stripe.parseEventNotification(text, header, secret).id,
    ],
  ])("takes a %s event that we sign, and we one that it signs", (_, event, read) => {
    const text = JSON.stringify(event);
    const ours = signDelivery(STRIPE, WHSEC, request({ text }))["stripe-signature"] ?? "";
    expect(read(text, ours, WHSEC)).toBe(event.id);
    expect(() => read(text, ours, OTHER)).toThrow("signature");
    expect(() => read(`${text} `, ours, WHSEC)).toThrow("signature");

    const theirs = stripe.webhooks.generateTestHeaderString({ payload: text, secret: WHSEC });
    const headers = { "stripe-signature": theirs };
    expect(verifySignature(STRIPE, [WHSEC], request({ text, headers }))).toEqual({ secretIndex: 0 });
    expect(verifySignature(STRIPE, [OTHER], request({ text, headers }))).toEqual({ problem: "bad_signature" });
  });
});

test("HubSpot's library takes what we sign, and refuses another body, address and secret", () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      const given = request({ text });
      const headers = signDelivery(HUBSPOT, "s", given);
      const isValid = (change: Readonly<Record<string, string>>) =>
        Signature.isValid({
          signatureVersion: "v3",
          method: "POST",
          requestBody: text,
          clientSecret: "s",
          url: given.url,
          signature: headers["x-hubspot-signature-v3"] ?? "",
          timestamp: Number(headers["x-hubspot-request-timestamp"]),
          ...change,
        });
      expect(isValid({})).toBe(true);
      expect(isValid({ requestBody: `${text} ` })).toBe(false);
      expect(isValid({ url: `${given.url}?x=1` })).toBe(false);
      expect(isValid({ clientSecret: "t" })).toBe(false);
    }),
    { numRuns: 100 },
  );
});

test.each([
  ["the reference library", "webhook", (secret: string) => new StandardWebhook(secret)],
  ["Svix under its own names", "svix", (secret: string) => new SvixWebhook(secret)],
  ["Svix under the standard names", "webhook", (secret: string) => new SvixWebhook(secret)],
] as const)("%s takes what we sign, and refuses another body, id and secret", (_, headerPrefix, open) => {
  const scheme: SignatureScheme = { kind: "standard_webhooks", headerPrefix, toleranceSeconds: 300 };
  fc.assert(
    fc.property(fc.json(), (text) => {
      const headers = { ...signDelivery(scheme, WHSEC, request({ text })) };
      expect(() => open(WHSEC).verify(text, headers)).not.toThrow();
      expect(() => open(OTHER).verify(text, headers)).toThrow("No matching signature");
      expect(() => open(WHSEC).verify(`${text} `, headers)).toThrow("No matching signature");
      const renamed = { ...headers, [`${headerPrefix}-id`]: "msg_other" };
      expect(() => open(WHSEC).verify(text, renamed)).toThrow("No matching signature");
    }),
    { numRuns: 100 },
  );
});

test.each([
  ["base64", "x-sig", ""],
  ["hex", "x-hub-signature-256", "sha256="],
] as const)("a generic HMAC in %s is what WebCrypto computes, both ways", async (encoding, header, prefix) => {
  const scheme: SignatureScheme = { kind: "body", algorithm: "sha256", encoding, prefix, headers: [header] };
  const usages = ["sign"] as const;
  const hash = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", Buffer.from("hush"), hash, false, usages);
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: "grapheme" }), async (text) => {
      const mac = Buffer.from(await crypto.subtle.sign("HMAC", key, Buffer.from(text)));
      const theirs = prefix + mac.toString(encoding);
      expect(signDelivery(scheme, "hush", request({ text }))).toEqual({ [header]: theirs });
      const given = request({ text, headers: { [header]: theirs } });
      expect(verifySignature(scheme, ["hush"], given)).toEqual({ secretIndex: 0 });
    }),
    { numRuns: 100 },
  );
});

/** Received now: some of the libraries look at the clock of this machine. */
function request({ text, headers = {} }: { text: string; headers?: Readonly<Record<string, string>> }): SignedRequest {
  const url = "https://hooks.example.com/in/shop/src_1";
  return { method: "POST", url, headers, rawBody: new TextEncoder().encode(text), receivedAt: new Date() };
}
