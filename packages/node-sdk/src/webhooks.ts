import { WebhookVerificationError } from "./errors.ts";
import type { PatchbayEvent } from "./events.ts";
import type { Runtime } from "./runtime.ts";

const TOLERANCE_SECONDS_DEFAULT = 300;
/** Two during a rotation; more is noise, or somebody trying their luck. */
const SIGNATURES_MAX = 16;
const SECRET_PREFIX = "whsec_";
const VERSION_PREFIX = "v1,";

/** Headers as frameworks hand them over: `Headers`, Node's `req.headers`, or a plain object. Names in any case. */
export type HeadersLike = Headers | Readonly<Record<string, string | readonly string[] | undefined>>;

export interface VerifyOptions {
  /** How far `webhook-timestamp` may be from this machine's clock, before or after; default 300. */
  readonly toleranceSeconds?: number | undefined;
}

export interface SignedEvent {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Verifies what Patchbay delivers: Standard Webhooks, HMAC-SHA256 over the raw bytes.
 *
 * @see https://www.standardwebhooks.com
 */
export class Webhooks {
  readonly #secret: string | readonly string[] | undefined;
  readonly #now: Runtime["now"];

  constructor(secret: string | readonly string[] | undefined, now: Runtime["now"]) {
    this.#secret = secret;
    this.#now = now;
  }

  /**
   * Verifies a delivery and gives its event.
   *
   * @param rawBody the body as it came, before any JSON parser touched it
   * @param secret of the endpoint (`whsec_…`), or several while one replaces another; default: the client's `webhookSecret`
   * @throws WebhookVerificationError `reason` tells why; answer 400
   */
  async unwrap(
    rawBody: string | Uint8Array | ArrayBuffer,
    headers: HeadersLike,
    secret?: string | readonly string[],
    options?: VerifyOptions,
  ): Promise<PatchbayEvent> {
    const body = bytesOf(rawBody);
    await this.verify(body, headers, secret, options);
    return parseEvent(body);
  }

  /** Like {@link unwrap}, without parsing: resolves when the delivery is genuine. */
  async verify(
    rawBody: string | Uint8Array | ArrayBuffer,
    headers: HeadersLike,
    secret: string | readonly string[] | undefined = this.#secret,
    options: VerifyOptions = {},
  ): Promise<void> {
    const body = bytesOf(rawBody);
    const secrets = typeof secret === "string" ? [secret] : (secret ?? []);
    if (secrets.length === 0) {
      throw new WebhookVerificationError("missing_secret", "no webhook secret: pass one, or set `webhookSecret`");
    }
    const keys = await Promise.all(secrets.map((one) => importKey(one, "verify")));
    const id = requiredHeader(headers, "webhook-id");
    const timestamp = requiredHeader(headers, "webhook-timestamp");
    const signatures = requiredHeader(headers, "webhook-signature");
    checkTimestamp(timestamp, this.#now() / 1000, options.toleranceSeconds ?? TOLERANCE_SECONDS_DEFAULT);

    const content = signedContent(id, timestamp, body);
    for (const signature of v1Signatures(signatures)) {
      for (const key of keys) {
        // WebCrypto compares in constant time.
        if (await crypto.subtle.verify("HMAC", key, signature, content)) return;
      }
    }
    throw new WebhookVerificationError(
      "no_matching_signature",
      "no signature matches: wrong secret, or the body is not byte for byte what was sent",
    );
  }

  /**
   * Signs an event as Patchbay does, so that your tests can call your own handler.
   *
   * @param options.timestamp when the delivery is sent; default now
   */
  async signTestEvent(
    event: PatchbayEvent,
    secret: string,
    options: { readonly timestamp?: Date } = {},
  ): Promise<SignedEvent> {
    const body = JSON.stringify(event);
    const timestamp = String(Math.floor((options.timestamp?.getTime() ?? this.#now()) / 1000));
    const key = await importKey(secret, "sign");
    const mac = await crypto.subtle.sign("HMAC", key, signedContent(event.id, timestamp, bytesOf(body)));
    return {
      body,
      headers: {
        "content-type": "application/json",
        "webhook-id": event.id,
        "webhook-timestamp": timestamp,
        "webhook-signature": VERSION_PREFIX + btoa(String.fromCharCode(...new Uint8Array(mac))),
      },
    };
  }
}

type Bytes = Uint8Array<ArrayBuffer>;

function bytesOf(rawBody: string | Uint8Array | ArrayBuffer): Bytes {
  if (typeof rawBody === "string") return new TextEncoder().encode(rawBody);
  if (rawBody instanceof ArrayBuffer) return new Uint8Array(rawBody);
  if (rawBody instanceof Uint8Array) return new Uint8Array(rawBody);
  throw new WebhookVerificationError(
    "body_not_raw",
    "the body must be the raw string or bytes: read it before a JSON parser does",
  );
}

async function importKey(secret: string, usage: "sign" | "verify"): Promise<CryptoKey> {
  const text = secret.startsWith(SECRET_PREFIX) ? secret.slice(SECRET_PREFIX.length) : secret;
  const raw = decodeBase64(text);
  if (raw === null || raw.length === 0) {
    throw new WebhookVerificationError("invalid_secret", "the webhook secret is not one: expected whsec_ and base64");
  }
  return crypto.subtle.importKey("raw", raw, { name: "HMAC", hash: "SHA-256" }, false, [usage]);
}

/** The one value of a header; a header sent twice is joined with spaces, which only signatures survive. */
function requiredHeader(headers: HeadersLike, name: string): string {
  const value = headers instanceof Headers ? headers.get(name) : plainHeader(headers, name);
  if (!value) throw new WebhookVerificationError("missing_header", `the ${name} header is missing`);
  return value;
}

function plainHeader(headers: Readonly<Record<string, string | readonly string[] | undefined>>, name: string): string {
  const values = Object.entries(headers)
    .filter(([key, value]) => key.toLowerCase() === name && value !== undefined)
    .flatMap(([, value]) => value);
  return values.join(" ");
}

function checkTimestamp(timestamp: string, nowSeconds: number, toleranceSeconds: number): void {
  if (!/^\d{1,12}$/.test(timestamp)) {
    throw new WebhookVerificationError("invalid_timestamp", "the webhook-timestamp header is not a number of seconds");
  }
  const ageSeconds = Math.floor(nowSeconds) - Number(timestamp);
  const rule = `the tolerance is ${toleranceSeconds} s`;
  if (ageSeconds > toleranceSeconds) {
    throw new WebhookVerificationError("timestamp_too_old", `signed ${ageSeconds} s ago; ${rule}`);
  }
  if (-ageSeconds > toleranceSeconds) {
    throw new WebhookVerificationError("timestamp_too_new", `signed ${-ageSeconds} s ahead of this clock; ${rule}`);
  }
}

function signedContent(id: string, timestamp: string, body: Bytes): Bytes {
  const head = new TextEncoder().encode(`${id}.${timestamp}.`);
  const content = new Uint8Array(head.length + body.length);
  content.set(head);
  content.set(body, head.length);
  return content;
}

/** Signatures of the version we know; others are skipped, as the specification asks. */
function v1Signatures(header: string): Bytes[] {
  return header
    .split(" ", SIGNATURES_MAX)
    .filter((entry) => entry.startsWith(VERSION_PREFIX))
    .map((entry) => decodeBase64(entry.slice(VERSION_PREFIX.length)))
    .filter((signature) => signature !== null);
}

function decodeBase64(text: string): Bytes | null {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return null;
  }
}

function parseEvent(body: Bytes): PatchbayEvent {
  const refusal = new WebhookVerificationError("invalid_payload", "the signature is right, but the body is no event");
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    throw refusal;
  }
  if (typeof value !== "object" || value === null) throw refusal;
  const { id, type, data } = value as Partial<Record<keyof PatchbayEvent, unknown>>;
  if (typeof id !== "string" || typeof type !== "string" || typeof data !== "object" || data === null) throw refusal;
  // Signed by Patchbay, which checks what it sends against the same types.
  return value as PatchbayEvent;
}
