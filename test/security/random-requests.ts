import { createHmac } from "node:crypto";

/** One request to the inbox, and whether a provider could have sent it. */
export interface RandomRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** Right method, address and signature, and no larger than may be. */
  readonly genuine: boolean;
  /** Sent without a client that tidies it up: what it names as its length, and what of it is sent. */
  readonly raw: { readonly length: string; readonly sent: number } | null;
}

const BODY_BYTES_MAX = 5 * 1024 * 1024;
const METHODS = ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "PROPFIND", "PURGE", "SEARCH"];
const TOPICS = ["orders/updated", "orders/delete", "customers/redact", "shop/update", "app/uninstalled", "", "x", "/"];
const TEXTS = [
  '{"id":1}',
  "[]",
  "null",
  '"',
  "{",
  "\u0000",
  '{"id":1e400}',
  '{"__proto__":{"a":1}}',
  "[".repeat(5_000),
  "",
];

/** The same seed makes the same requests. */
export function randomRequests(seed: number, address: { readonly source: string; readonly secret: string }) {
  const random = mulberry32(seed);
  const below = (max: number) => Math.floor(random() * max);
  const chance = (share: number) => random() < share;
  const pick = <T>(values: readonly T[]): T => values[below(values.length)] as T;
  const word = (max: number) => Array.from({ length: below(max) }, () => String.fromCharCode(33 + below(94))).join("");
  const bytes = (count: number) => Buffer.from(Array.from({ length: count }, () => below(256)));

  function body(): Buffer {
    const kind = random();
    if (kind < 0.5) return Buffer.from(JSON.stringify({ id: below(50) + 1, note: word(200), nested: [[word(9)]] }));
    if (kind < 0.75) return Buffer.from(pick(TEXTS));
    if (kind < 0.98) return bytes(below(4_096));
    if (kind < 0.9995) return Buffer.alloc(below(200_000), below(256));
    return Buffer.alloc(BODY_BYTES_MAX + below(3) - 1, 0x20);
  }

  function path(): { readonly path: string; readonly right: boolean } {
    const { source } = address;
    if (chance(0.75)) return { path: `/in/shopify/${source}`, right: true };
    const flipped = source.slice(0, -1) + (source.endsWith("0") ? "1" : "0");
    const made = [
      `/in/shopify/${flipped}`,
      `/in/stripe/${source}`,
      `/in/SHOPIFY/${source}`,
      `/in/shopify/${source}/`,
      `/in/shopify/${source.slice(0, below(source.length))}`,
      `/in/${encodeURIComponent(word(40))}/${encodeURIComponent(word(60))}`,
      `/in/shopify/src_${"0".repeat(26)}_${"7".repeat(26)}`,
      `/in//${source}`,
      `/in/shopify/%2e%2e/${source}`,
      `/in/shopify/${source}%00`,
      `/in/shopify/%ff`,
      `/${encodeURIComponent(word(30))}`,
    ];
    return { path: pick(made), right: false };
  }

  function signature(of: Buffer): { readonly value: string | null; readonly right: boolean } {
    const sign = (secret: string, data: Buffer) => createHmac("sha256", secret).update(data).digest("base64");
    const right = sign(address.secret, of);
    if (chance(0.5)) return { value: right, right: true };
    const made = [
      null,
      "",
      word(60),
      right.slice(0, -2),
      `${right} `.repeat(2),
      sign("other", of),
      sign(address.secret, Buffer.concat([of, Buffer.from(" ")])),
      bytes(32).toString("base64"),
      createHmac("sha256", address.secret).update(of).digest("hex"),
    ];
    return { value: pick(made), right: false };
  }

  return function next(): RandomRequest {
    const content = body();
    const where = path();
    const signed = signature(content);
    const method = chance(0.9) ? "POST" : pick(METHODS);
    const family = chance(0.8) ? "x-shopify-" : "shopify-";
    const extra = chance(0.1)
      ? Object.fromEntries(
          Array.from({ length: below(40) }, (_, at) => [`x-noise-${at}`, word(chance(0.02) ? 900 : 60)]),
        )
      : {};
    const headers = {
      "content-type": pick(["application/json", "text/plain", "multipart/form-data; boundary=x", word(20)]),
      [`${family}topic`]: chance(0.9) ? pick(TOPICS) : word(80),
      [`${family}shop-domain`]: chance(0.8) ? "acme-goods.myshopify.com" : word(80),
      [`${family}webhook-id`]: chance(0.9) ? `w-${below(5_000)}` : word(300),
      ...(chance(0.02) ? { "content-encoding": pick(["gzip", "br", "x"]) } : {}),
      ...(signed.value === null ? {} : { [`${family}hmac-sha256`]: signed.value }),
      ...extra,
    };
    const raw = chance(0.03)
      ? {
          length: pick(["", "-1", "1e3", "99999999", "0x10", String(content.length + 9)]),
          sent: below(content.length + 1),
        }
      : null;
    const genuine =
      method === "POST" && where.right && signed.right && raw === null && content.length <= BODY_BYTES_MAX;
    return { method, path: where.path, headers, body: content, genuine, raw };
  };
}

/** A small generator with a seed; good enough to make noise. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
