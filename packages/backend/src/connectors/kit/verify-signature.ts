import { createHmac, timingSafeEqual } from "node:crypto";
import type {
  BodySignature,
  RequestSignature,
  SignatureScheme,
  SignedRequest,
  StandardWebhooksSignature,
  TimestampedSignature,
} from "./signature.ts";
import { signedContent, signingKey } from "./signed-content.ts";

/** `stale_signature`: good, but older or further in the future than the provider's rules allow. */
export type SignatureProblem = "missing_signature" | "bad_signature" | "stale_signature";
export type SignatureCheck =
  /** Which of the secrets it was signed with. */
  { readonly secretIndex: number } | { readonly problem: SignatureProblem };

/**
 * Checks a delivery's signature over its raw bytes, without reading them: nothing is parsed before it is known who
 * wrote it. One verifier for every provider; a connector declares how it is signed and cannot let a forged delivery in
 * by omission.
 *
 * All secrets are tried against all signatures, so that the time taken does not tell which one fits.
 *
 * @param secrets all that count now, current first; during a rotation there are two
 */
export function verifySignature(
  scheme: SignatureScheme,
  secrets: readonly string[],
  request: SignedRequest,
): SignatureCheck {
  const claim = readClaim(scheme, request.headers);
  if (claim === null) return { problem: "missing_signature" };
  if (claim.signatures.length === 0) return { problem: "bad_signature" };
  const content = signedContent(scheme, { ...request, id: claim.id, time: claim.time });
  const fits = secrets.map((secret) => {
    const key = signingKey(scheme, secret);
    const hmac = createHmac(scheme.kind === "body" ? scheme.algorithm : "sha256", key);
    for (const part of content) hmac.update(part);
    const expected = hmac.digest();
    const equal = claim.signatures.map((given) => given.length === expected.length && timingSafeEqual(given, expected));
    return key.length > 0 && equal.includes(true);
  });
  const secretIndex = fits.indexOf(true);
  if (secretIndex === -1) return { problem: "bad_signature" };
  return isFresh(scheme, claim, request.receivedAt) ? { secretIndex } : { problem: "stale_signature" };
}

/** What the headers say. Nothing of it is believed yet. */
interface Claim {
  readonly id: string;
  readonly time: string;
  /** Unix milliseconds; `null` where the scheme names no time. */
  readonly timeMs: number | null;
  /** Any of them may fit: while a secret is changed the sender signs with both. */
  readonly signatures: readonly Uint8Array[];
}

/** `null`: unsigned, or not in the scheme's form. */
function readClaim(scheme: SignatureScheme, headers: SignedRequest["headers"]): Claim | null {
  switch (scheme.kind) {
    case "body":
      return bodyClaim(scheme, headers);
    case "timestamped":
      return timestampedClaim(scheme, headers);
    case "request":
      return requestClaim(scheme, headers);
    case "standard_webhooks":
      return standardClaim(scheme, headers);
  }
}

/** A sender has two secrets while it changes them; more than this is somebody's attempt to make us work. */
const SIGNATURES_MAX = 8;

function bodyClaim(scheme: BodySignature, headers: SignedRequest["headers"]): Claim | null {
  const text = scheme.headers.map((name) => headers[name]).find((value) => value !== undefined);
  if (text === undefined) return null;
  const given = text.startsWith(scheme.prefix) ? text.slice(scheme.prefix.length) : "";
  return { id: "", time: "", timeMs: null, signatures: decodeAll([given], scheme.encoding) };
}

function timestampedClaim(scheme: TimestampedSignature, headers: SignedRequest["headers"]): Claim | null {
  const pairs = (headers[scheme.header] ?? "").split(",").map((pair): readonly [string, string] => {
    const equals = pair.indexOf("=");
    return [pair.slice(0, equals), pair.slice(equals + 1)];
  });
  const valuesOf = (key: string) => pairs.filter(([name]) => name === key).map(([, value]) => value);
  const [time, ...more] = valuesOf(scheme.timeKey);
  const timeMs = time === undefined || more.length > 0 ? null : unixMs(time, 1_000);
  if (time === undefined || timeMs === null) return null;
  return { id: "", time, timeMs, signatures: decodeAll(valuesOf(scheme.signatureKey), scheme.encoding) };
}

function requestClaim(scheme: RequestSignature, headers: SignedRequest["headers"]): Claim | null {
  const [text, time] = [headers[scheme.header], headers[scheme.timeHeader]];
  const timeMs = time === undefined ? null : unixMs(time, 1);
  if (text === undefined || time === undefined || timeMs === null) return null;
  return { id: "", time, timeMs, signatures: decodeAll([text], scheme.encoding) };
}

function standardClaim(scheme: StandardWebhooksSignature, headers: SignedRequest["headers"]): Claim | null {
  const [id, time, list] = ["id", "timestamp", "signature"].map((name) => headers[`${scheme.headerPrefix}-${name}`]);
  const timeMs = time === undefined ? null : unixMs(time, 1_000);
  if (id === undefined || id === "" || time === undefined || timeMs === null || list === undefined) return null;
  const ours = list.split(" ").filter((entry) => entry.startsWith("v1,"));
  return {
    id,
    time,
    timeMs,
    signatures: decodeAll(
      ours.map((entry) => entry.slice(3)),
      "base64",
    ),
  };
}

/** Node decodes leniently; only the canonical spelling of a signature counts. */
function decodeAll(texts: readonly string[], encoding: "base64" | "hex"): readonly Uint8Array[] {
  return texts.slice(0, SIGNATURES_MAX).flatMap((text) => {
    const bytes = Buffer.from(text, encoding);
    return bytes.length > 0 && bytes.toString(encoding) === text ? [bytes] : [];
  });
}

/** Digits and nothing else; `null` for what is no time. */
function unixMs(text: string, unitMs: number): number | null {
  return /^\d{1,15}$/.test(text) ? Number(text) * unitMs : null;
}

/** In both directions: a time far ahead would let a delivery be repeated until then. */
function isFresh(scheme: SignatureScheme, claim: Claim, receivedAt: Date): boolean {
  if (scheme.kind === "body" || claim.timeMs === null) return true;
  return Math.abs(receivedAt.getTime() - claim.timeMs) <= scheme.toleranceSeconds * 1_000;
}
