import { createHmac, timingSafeEqual } from "node:crypto";
import type { HmacSignature } from "../../../connectors/kit/index.ts";
import type { Secret } from "../../../platform/runtime/index.ts";

/**
 * Checks a delivery's signature over its raw bytes without reading them: nothing is parsed before the provider has
 * its answer.
 *
 * Every secret is tried, so that the time taken does not tell which one fits.
 *
 * @returns index of the secret that signed; `null`: none did
 */
export function verifySignature(
  signature: HmacSignature,
  secrets: readonly Secret[],
  headers: Readonly<Record<string, string>>,
  rawBody: Uint8Array,
): number | null {
  const claimed = signature.headers.map((name) => headers[name]).find((value) => value !== undefined);
  if (claimed === undefined) return null;
  const given = Buffer.from(claimed, signature.encoding);
  // Node decodes leniently; only the canonical spelling of a signature counts.
  if (given.length !== 32 || given.toString(signature.encoding) !== claimed) return null;
  const fits = secrets.map((secret) =>
    timingSafeEqual(createHmac(signature.algorithm, secret.reveal()).update(rawBody).digest(), given),
  );
  const index = fits.indexOf(true);
  return index === -1 ? null : index;
}
