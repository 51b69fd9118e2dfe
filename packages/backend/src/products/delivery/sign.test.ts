import fc from "fast-check";
import { Webhook } from "standardwebhooks";
import { describe, expect, test } from "vitest";
import { Secret } from "../../platform/runtime/index.ts";
import { newSigningSecret, signatureHeaders } from "./sign.ts";

describe("signatureHeaders", () => {
  test("makes the published vector of Standard Webhooks", () => {
    const headers = signatureHeaders([new Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")], {
      id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
      sentAt: new Date(1_614_265_330_000),
      body: Buffer.from(`{"test": 2432232314}`),
    });
    expect(headers).toEqual({
      "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
      "webhook-timestamp": "1614265330",
      "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    });
  });

  test("signs with every secret, in the order given", () => {
    const secrets = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"].map(
      (text) => new Secret(text),
    );
    const message = { id: "evt_1", sentAt: new Date(1_767_225_600_000), body: Buffer.from("{}") };
    const [newer, older] = secrets.map((secret) => signatureHeaders([secret], message)["webhook-signature"]);
    expect(signatureHeaders(secrets, message)["webhook-signature"]).toBe(`${newer} ${older}`);
  });

  test("is accepted by the reference library for any text and secret", () => {
    fc.assert(
      fc.property(fc.json(), fc.string({ unit: "binary" }), (json, extra) => {
        const secret = newSigningSecret();
        const body = Buffer.from(JSON.stringify({ json, extra: extra.toWellFormed() }));
        const headers = signatureHeaders([secret], { id: "evt_01jd", sentAt: new Date(), body });
        expect(new Webhook(secret.reveal()).verify(body, headers)).toEqual(JSON.parse(body.toString()));
      }),
      { numRuns: 50 },
    );
  });

  test("is refused by the reference library when a byte changed", () => {
    const secret = newSigningSecret();
    const headers = signatureHeaders([secret], { id: "evt_01jd", sentAt: new Date(), body: Buffer.from(`{"a":1}`) });
    expect(() => new Webhook(secret.reveal()).verify(`{"a":2}`, headers)).toThrow("No matching signature");
  });
});

test("a new secret holds 32 random bytes", () => {
  const [one, other] = [newSigningSecret().reveal(), newSigningSecret().reveal()];
  expect(one).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  expect(one).not.toBe(other);
});
