import { createHmac } from "node:crypto";
import fc from "fast-check";
import { Webhook } from "standardwebhooks";
import { describe, expect, test } from "vitest";
import type { PatchbayEvent } from "./events.ts";
import { type HeadersLike, Webhooks } from "./webhooks.ts";

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OLD_SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const NOW_SECONDS = 1_767_225_600;
const webhooks = new Webhooks(undefined, () => NOW_SECONDS * 1000);
const at = (seconds: number) => new Webhooks(undefined, () => seconds * 1000);

// Data of no type of the catalogue: it is carried as it is.
const event = {
  id: "evt_1",
  type: "endpoint.test",
  timestamp: "2026-01-01T00:00:00.000Z",
  mode: "test",
  tenantId: "café",
  connection: null,
  data: { note: "☕" },
} as unknown as PatchbayEvent;

describe("published vectors", () => {
  const published = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
  };
  const body = '{"test": 2432232314}';

  test.each([
    ["with the prefix", SECRET],
    ["without the prefix", SECRET.slice("whsec_".length)],
  ])("the one of Standard Webhooks verifies, secret %s", async (_name, secret) => {
    await expect(at(1_614_265_330).verify(body, published, secret)).resolves.toBeUndefined();
  });

  test("the one of Standard Webhooks is refused with one more space in the body", async () => {
    const answer = at(1_614_265_330).verify(`${body} `, published, SECRET);
    await expect(answer).rejects.toMatchObject({ reason: "no_matching_signature" });
  });

  test("an asymmetric signature beside it is skipped, and alone it is not enough", async () => {
    const v1a = "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==";
    const both = { ...published, "webhook-signature": `${v1a} ${published["webhook-signature"]}` };
    await expect(at(1_614_265_330).verify(body, both, SECRET)).resolves.toBeUndefined();
    const alone = { ...published, "webhook-signature": v1a };
    await expect(at(1_614_265_330).verify(body, alone, SECRET)).rejects.toMatchObject({
      reason: "no_matching_signature",
    });
  });
});

describe("against the standardwebhooks package", () => {
  const text = fc.string({ unit: "binary", maxLength: 200 });
  const key = fc.uint8Array({ minLength: 24, maxLength: 64 }).map((bytes) => Buffer.from(bytes).toString("base64"));

  test("what it signs, we verify", async () => {
    await fc.assert(
      fc.asyncProperty(text, key, fc.uuid(), async (body, secret, id) => {
        const signature = new Webhook(secret).sign(id, new Date(NOW_SECONDS * 1000), body);
        const headers = {
          "webhook-id": id,
          "webhook-timestamp": String(NOW_SECONDS),
          "webhook-signature": signature,
        };
        await webhooks.verify(body, headers, `whsec_${secret}`);
      }),
    );
  });

  test("what we sign, it verifies", async () => {
    await fc.assert(
      fc.asyncProperty(text, key, fc.uuid(), async (note, secret, id) => {
        const noted = { ...event, id, data: { note } } as unknown as PatchbayEvent;
        // The package reads the real clock.
        const signed = await at(Date.now() / 1000).signTestEvent(noted, secret);
        expect(new Webhook(secret).verify(signed.body, { ...signed.headers })).toEqual({
          ...event,
          id,
          data: { note },
        });
      }),
    );
  });

  test("a change of any byte of body, id or time makes us refuse", async () => {
    const { body, headers } = await webhooks.signTestEvent(event, SECRET);
    const bytes = new TextEncoder().encode(body);
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (index, mask) => {
        const changed = bytes.map((byte, position) => (position === index ? byte ^ mask : byte));
        await expect(webhooks.verify(changed, headers, SECRET)).rejects.toMatchObject({
          reason: "no_matching_signature",
        });
      }),
    );
    for (const change of [{ "webhook-id": "evt_2" }, { "webhook-timestamp": String(NOW_SECONDS + 1) }]) {
      const answer = webhooks.verify(body, { ...headers, ...change }, SECRET);
      await expect(answer).rejects.toMatchObject({ reason: "no_matching_signature" });
    }
  });
});

describe("unwrap", () => {
  test("gives the event of a genuine delivery", async () => {
    const { body, headers } = await webhooks.signTestEvent(event, SECRET);
    expect(await webhooks.unwrap(body, headers, SECRET)).toEqual(event);
  });

  test("uses the client's secret when none is passed", async () => {
    const { body, headers } = await webhooks.signTestEvent(event, SECRET);
    expect(await new Webhooks(SECRET, () => NOW_SECONDS * 1000).unwrap(body, headers)).toEqual(event);
  });

  test.each([
    ["old", OLD_SECRET],
    ["new", SECRET],
  ])(
    "accepts a delivery signed with both secrets of a rotation, for a receiver that knows the %s one",
    async (_, s) => {
      const { body, headers } = await webhooks.signTestEvent(event, SECRET);
      const other = await webhooks.signTestEvent(event, OLD_SECRET);
      const both = `${headers["webhook-signature"]} ${other.headers["webhook-signature"]}`;
      expect(await webhooks.unwrap(body, { ...headers, "webhook-signature": both }, s)).toEqual(event);
    },
  );

  test("accepts any of several secrets", async () => {
    const { body, headers } = await webhooks.signTestEvent(event, OLD_SECRET);
    expect(await webhooks.unwrap(body, headers, [SECRET, OLD_SECRET])).toEqual(event);
  });

  test.each<[string, (signed: Readonly<Record<string, string>>) => HeadersLike]>([
    ["Headers", (signed) => new Headers(signed)],
    ["a plain object", (signed) => signed],
    ["an object with capitals", (h) => Object.fromEntries(Object.entries(h).map(([k, v]) => [k.toUpperCase(), v]))],
    ["Node's headers with arrays", (h) => Object.fromEntries(Object.entries(h).map(([name, v]) => [name, [v]]))],
  ])("reads headers from %s", async (_name, shape) => {
    const { body, headers } = await webhooks.signTestEvent(event, SECRET);
    expect(await webhooks.unwrap(body, shape(headers), SECRET)).toEqual(event);
  });

  test.each<[string, (body: string) => string | Uint8Array | ArrayBuffer]>([
    ["a string", (body) => body],
    ["a Buffer", (body) => Buffer.from(body)],
    ["bytes in the middle of a buffer", (body) => Buffer.from(`xx${body}xx`).subarray(2, -2)],
    ["an ArrayBuffer", (body) => new TextEncoder().encode(body).buffer],
  ])("takes the body as %s", async (_name, shape) => {
    const { body, headers } = await webhooks.signTestEvent(event, SECRET);
    expect(await webhooks.unwrap(shape(body), headers, SECRET)).toEqual(event);
  });

  test("signs bytes, not text: a body that is not UTF-8 verifies and is then no event", async () => {
    const body = new Uint8Array([0x7b, 0xff, 0x7d]);
    const mac = createHmac("sha256", Buffer.from(SECRET.slice(6), "base64"))
      .update(`evt_1.${NOW_SECONDS}.`)
      .update(body);
    const headers = {
      "webhook-id": "evt_1",
      "webhook-timestamp": String(NOW_SECONDS),
      "webhook-signature": `v1,${mac.digest("base64")}`,
    };
    await expect(webhooks.verify(body, headers, SECRET)).resolves.toBeUndefined();
    await expect(webhooks.unwrap(body, headers, SECRET)).rejects.toMatchObject({ reason: "invalid_payload" });
  });
});

describe("refusals tell their cause", () => {
  test.each([
    ["webhook-id", "missing_header"],
    ["webhook-timestamp", "missing_header"],
    ["webhook-signature", "missing_header"],
  ])("without %s: %s, named", async (name, reason) => {
    const { body, headers } = await webhooks.signTestEvent(event, SECRET);
    const answer = webhooks.unwrap(body, { ...headers, [name]: "" }, SECRET);
    await expect(answer).rejects.toMatchObject({ reason, message: `the ${name} header is missing` });
  });

  test.each([
    [300, undefined],
    [301, "timestamp_too_old"],
    [-300, undefined],
    [-301, "timestamp_too_new"],
  ])("signed %i s ago: %s", async (ageSeconds, reason) => {
    const timestamp = new Date((NOW_SECONDS - ageSeconds) * 1000);
    const { body, headers } = await webhooks.signTestEvent(event, SECRET, { timestamp });
    const answer = await webhooks.verify(body, headers, SECRET).catch((error: unknown) => error);
    if (reason === undefined) expect(answer).toBeUndefined();
    else expect(answer).toMatchObject({ reason });
  });

  test("a tolerance of its own is held to", async () => {
    const timestamp = new Date((NOW_SECONDS - 11) * 1000);
    const { body, headers } = await webhooks.signTestEvent(event, SECRET, { timestamp });
    const answer = webhooks.verify(body, headers, SECRET, { toleranceSeconds: 10 });
    await expect(answer).rejects.toMatchObject({ reason: "timestamp_too_old" });
  });

  test.each(["", " ", "abc", "1e9", "-5", "NaN", `${NOW_SECONDS}.5`])("timestamp %j is none", async (timestamp) => {
    const { body, headers } = await webhooks.signTestEvent(event, SECRET);
    const answer = webhooks.unwrap(body, { ...headers, "webhook-timestamp": timestamp }, SECRET);
    await expect(answer).rejects.toMatchObject({
      reason: timestamp === "" ? "missing_header" : "invalid_timestamp",
    });
  });

  test.each(["", "v1", "v1,", "v1,!!!", "v0,abcd", "v2,abcd"])("signature %j never matches", async (signature) => {
    const { body, headers } = await webhooks.signTestEvent(event, SECRET);
    await expect(webhooks.unwrap(body, { ...headers, "webhook-signature": signature }, SECRET)).rejects.toMatchObject({
      reason: signature === "" ? "missing_header" : "no_matching_signature",
    });
  });

  test.each([
    ["none", undefined, "missing_secret"],
    ["an empty list", [], "missing_secret"],
    ["an empty one", "", "invalid_secret"],
    ["only the prefix", "whsec_", "invalid_secret"],
    ["one that is not base64", "whsec_hidden!", "invalid_secret"],
  ])("secret: %s", async (_name, secret, reason) => {
    const { body, headers } = await webhooks.signTestEvent(event, SECRET);
    const error = await webhooks.unwrap(body, headers, secret).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ reason });
    expect(String(error)).not.toContain("hidden");
  });

  test("a body that a JSON parser has eaten", async () => {
    const { headers } = await webhooks.signTestEvent(event, SECRET);
    // What Express hands over behind express.json(); the types forbid it, JavaScript callers do it.
    const parsed = event as unknown as string;
    await expect(webhooks.unwrap(parsed, headers, SECRET)).rejects.toMatchObject({ reason: "body_not_raw" });
  });
});
