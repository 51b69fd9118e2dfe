import { Signature } from "@hubspot/api-client";
import * as fc from "fast-check";
import { Webhook as StandardWebhook } from "standardwebhooks";
import Stripe from "stripe";
import { Webhook as SvixWebhook } from "svix";
import { describe, expect, test } from "vitest";
import { restoreDelivery } from "./restore-delivery.ts";
import { signDelivery } from "./sign-delivery.ts";
import type { SignatureScheme, SignedRequest } from "./signature.ts";
import { verifySignature } from "./verify-signature.ts";

const BODY: SignatureScheme = {
  kind: "body",
  algorithm: "sha256",
  encoding: "base64",
  prefix: "",
  headers: ["x-new", "x-sig"],
};
const GITHUB: SignatureScheme = { ...BODY, encoding: "hex", prefix: "sha256=", headers: ["x-hub-signature-256"] };
const TIMESTAMPED: SignatureScheme = {
  kind: "timestamped",
  header: "stripe-signature",
  encoding: "hex",
  timeKey: "t",
  signatureKey: "v1",
  toleranceSeconds: 300,
};
const REQUEST: SignatureScheme = {
  kind: "request",
  header: "x-hubspot-signature-v3",
  timeHeader: "x-hubspot-request-timestamp",
  encoding: "base64",
  decodes: ["%3A", "%2F", "%3F", "%40", "%21", "%24", "%27", "%28", "%29", "%2A", "%2C", "%3B"],
  toleranceSeconds: 300,
};
const STANDARD: SignatureScheme = { kind: "standard_webhooks", headerPrefix: "webhook", toleranceSeconds: 300 };
const SCHEMES = { BODY, GITHUB, TIMESTAMPED, REQUEST, STANDARD };
const WHSEC = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
const NOW = new Date("2026-01-01T00:00:00Z");

const request = (given: Partial<SignedRequest> & { readonly text?: string } = {}): SignedRequest => ({
  method: "POST",
  url: "https://hooks.example.com/in/shop/src_1",
  headers: {},
  rawBody: new TextEncoder().encode(given.text ?? '{"id":820982911946154508,"note":"café"}'),
  receivedAt: NOW,
  ...given,
});
const signed = (scheme: SignatureScheme, secret: string, given: Parameters<typeof request>[0] = {}) => {
  const unsigned = request(given);
  return { ...unsigned, headers: { ...unsigned.headers, ...signDelivery(scheme, secret, unsigned) } };
};

describe.each(Object.entries(SCHEMES))("%s", (_, scheme) => {
  const other = `whsec_${Buffer.alloc(32, 8).toString("base64")}`;

  test("tells which of two secrets signed", () => {
    expect(verifySignature(scheme, [other, WHSEC], signed(scheme, WHSEC))).toEqual({ secretIndex: 1 });
  });

  test("refuses another body, another secret, no secret and an empty one", () => {
    const good = signed(scheme, WHSEC);
    expect(
      verifySignature(scheme, [WHSEC], { ...good, rawBody: Buffer.concat([good.rawBody, Buffer.of(32)]) }),
    ).toEqual({ problem: "bad_signature" });
    expect(verifySignature(scheme, [other], good)).toEqual({ problem: "bad_signature" });
    expect(verifySignature(scheme, [], good)).toEqual({ problem: "bad_signature" });
    for (const empty of ["", ...(scheme.kind === "standard_webhooks" ? ["whsec_"] : [])]) {
      expect(verifySignature(scheme, [empty], signed(scheme, empty))).toEqual({ problem: "bad_signature" });
    }
  });

  test("refuses an unsigned delivery", () => {
    expect(verifySignature(scheme, [WHSEC], request())).toEqual({ problem: "missing_signature" });
  });

  test("any change of a header's character is refused", () => {
    const good = signed(scheme, WHSEC);
    for (const [name, value] of Object.entries(good.headers)) {
      for (let index = 0; index < value.length; index++) {
        const changed = value.slice(0, index) + (value[index] === "1" ? "2" : "1") + value.slice(index + 1);
        const check = verifySignature(scheme, [WHSEC], { ...good, headers: { ...good.headers, [name]: changed } });
        expect(check, `${name}: ${changed}`).toHaveProperty("problem");
      }
    }
  });

  test("nothing that anybody sends makes it throw", () => {
    const names = Object.keys(signDelivery(scheme, WHSEC, request()));
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 3, maxLength: 3 }), (values) => {
        const headers = Object.fromEntries(names.map((name, index) => [name, values[index] ?? ""]));
        expect(verifySignature(scheme, [WHSEC], request({ headers }))).toHaveProperty("problem");
      }),
      { numRuns: 500 },
    );
  });
});

test.each(Object.entries({ TIMESTAMPED, REQUEST, STANDARD }))(
  "%s is good for five minutes, either way",
  (_, scheme) => {
    const at = (seconds: number) => new Date(NOW.getTime() + seconds * 1_000);
    const good = signed(scheme, WHSEC);
    for (const seconds of [-300, 0, 300]) {
      expect(verifySignature(scheme, [WHSEC], { ...good, receivedAt: at(seconds) })).toEqual({ secretIndex: 0 });
    }
    for (const seconds of [-301, 301, 86_400]) {
      const late = { ...good, receivedAt: at(seconds) };
      expect(verifySignature(scheme, [WHSEC], late)).toEqual({ problem: "stale_signature" });
    }
  },
);

describe("BODY", () => {
  test("the first declared header that is present counts", () => {
    const good = signed(BODY, "s", { headers: {} });
    const value = good.headers["x-new"] ?? "";
    const both = { ...good, headers: { "x-new": "bm8=", "x-sig": value } };
    expect(verifySignature(BODY, ["s"], both)).toEqual({ problem: "bad_signature" });
    expect(verifySignature(BODY, ["s"], { ...good, headers: { "x-sig": value } })).toEqual({ secretIndex: 0 });
  });

  test("a lenient spelling of the right signature is refused", () => {
    const good = signed(BODY, "s");
    const value = good.headers["x-new"] ?? "";
    for (const spelling of [value.replace("=", ""), `${value}AAAA`, ` ${value}`, value.replaceAll("/", "_")]) {
      if (spelling === value) continue;
      expect(verifySignature(BODY, ["s"], { ...good, headers: { "x-new": spelling } })).toHaveProperty("problem");
    }
  });

  test("accepts GitHub's documented example", () => {
    const headers = {
      "x-hub-signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
    };
    const given = request({ headers, text: "Hello, World!" });
    expect(verifySignature(GITHUB, ["It's a Secret to Everybody"], given)).toEqual({ secretIndex: 0 });
  });
});

describe("TIMESTAMPED", () => {
  const stripe = new Stripe("sk_test_none");

  test("accepts what Stripe's library signs, and it accepts ours", () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const header = stripe.webhooks.generateTestHeaderString({
          payload: text,
          secret: WHSEC,
          timestamp: NOW.getTime() / 1_000,
        });
        const theirs = request({ text, headers: { "stripe-signature": header } });
        expect(verifySignature(TIMESTAMPED, [WHSEC], theirs)).toEqual({ secretIndex: 0 });
        const ours = signed(TIMESTAMPED, WHSEC, { text }).headers["stripe-signature"] ?? "";
        const event = stripe.webhooks.signature?.verifyHeader(
          Buffer.from(text),
          ours,
          WHSEC,
          300,
          undefined,
          NOW.getTime(),
        );
        expect(event).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  test("while a secret is changed either signature counts; other schemes never do", () => {
    const good = signed(TIMESTAMPED, WHSEC).headers["stripe-signature"] ?? "";
    const [time, value = ""] = good.split(",");
    const hex = value.slice(3);
    const check = (header: string) =>
      verifySignature(TIMESTAMPED, [WHSEC], request({ headers: { "stripe-signature": header } }));
    expect(check(`${time},v1=${"0".repeat(64)},v1=${hex},v0=${"1".repeat(64)}`)).toEqual({ secretIndex: 0 });
    expect(check(`${time},v0=${hex}`)).toEqual({ problem: "bad_signature" });
    expect(check(`${time},${time},v1=${hex}`)).toEqual({ problem: "missing_signature" });
    expect(check(`t=Infinity,v1=${hex}`)).toEqual({ problem: "missing_signature" });
    expect(check(`v1=${hex},${time}`)).toEqual({ secretIndex: 0 });
    expect(check(`${time},${`v1=${"0".repeat(64)},`.repeat(8)}v1=${hex}`)).toEqual({ problem: "bad_signature" });
  });
});

describe("REQUEST", () => {
  test("accepts what HubSpot's library computes of the URL as HubSpot sends it", () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const url = "https://hooks.example.com/in?redirect=https%3A%2F%2Fapp.example.com%2Fa%3Fb%40c&sp=a%20b&pct=%25";
        const asSent = "https://hooks.example.com/in?redirect=https://app.example.com/a?b@c&sp=a%20b&pct=%25";
        const timestamp = NOW.getTime();
        const value = Signature.getSignature("POST", "v3", {
          requestBody: text,
          clientSecret: "s",
          signature: "",
          url: asSent,
          timestamp,
        });
        const headers = { "x-hubspot-signature-v3": value, "x-hubspot-request-timestamp": String(timestamp) };
        expect(verifySignature(REQUEST, ["s"], request({ url, text, headers }))).toEqual({ secretIndex: 0 });
      }),
      { numRuns: 100 },
    );
  });

  test("another URL or method is refused, and a time that is no number", () => {
    const good = signed(REQUEST, "s");
    expect(verifySignature(REQUEST, ["s"], { ...good, url: `${good.url}?x=1` })).toEqual({ problem: "bad_signature" });
    expect(verifySignature(REQUEST, ["s"], { ...good, method: "PUT" })).toEqual({ problem: "bad_signature" });
    const headers = { ...good.headers, "x-hubspot-request-timestamp": "abc" };
    expect(verifySignature(REQUEST, ["s"], { ...good, headers })).toEqual({ problem: "missing_signature" });
  });
});

describe("STANDARD", () => {
  test("accepts what the reference library and Svix sign", () => {
    const svix: SignatureScheme = { ...STANDARD, headerPrefix: "svix" };
    fc.assert(
      fc.property(fc.json(), (text) => {
        const header = (sign: (id: string, at: Date, text: string) => string, prefix: string) => ({
          [`${prefix}-id`]: "msg_1",
          [`${prefix}-timestamp`]: String(NOW.getTime() / 1_000),
          [`${prefix}-signature`]: `v1a,skipped ${sign("msg_1", NOW, text)}`,
        });
        const reference = new StandardWebhook(WHSEC);
        const first = request({ text, headers: header((...given) => reference.sign(...given), "webhook") });
        expect(verifySignature(STANDARD, [WHSEC], first)).toEqual({ secretIndex: 0 });
        const library = new SvixWebhook(WHSEC);
        const second = request({ text, headers: header((...given) => library.sign(...given), "svix") });
        expect(verifySignature(svix, [WHSEC], second)).toEqual({ secretIndex: 0 });
      }),
      { numRuns: 200 },
    );
  });

  test("a changed id is refused: it is what copies are told apart by", () => {
    const good = signed(STANDARD, WHSEC);
    const headers = { ...good.headers, "webhook-id": "msg_other" };
    expect(verifySignature(STANDARD, [WHSEC], { ...good, headers })).toEqual({ problem: "bad_signature" });
  });
});

test("bodies that are no UTF-8 are verified by their bytes", () => {
  const rawBody = Uint8Array.of(0xff, 0x00, 0xfe);
  for (const scheme of Object.values(SCHEMES)) {
    expect(verifySignature(scheme, [WHSEC], signed(scheme, WHSEC, { rawBody }))).toEqual({ secretIndex: 0 });
  }
});

test("a signed body that is no JSON is restored with a null body", () => {
  expect(restoreDelivery({ a: "1" }, new TextEncoder().encode("not json"))).toEqual({
    headers: { a: "1" },
    body: null,
  });
});
