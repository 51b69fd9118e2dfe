import { createHmac, timingSafeEqual } from "node:crypto";
import type { HmacSignature, VerifiedDelivery } from "./connector.ts";
import { parseJson } from "./lossless-json.ts";

export type DeliveryCheck =
  /** `secretIndex`: which of the secrets it was signed with. */
  | { readonly delivery: VerifiedDelivery; readonly secretIndex: number }
  | { readonly problem: "missing_signature" | "bad_signature" };

/**
 * Checks a delivery's signature over its raw bytes, and only then reads them. The one way to a `VerifiedDelivery`
 * from the outside: a connector declares how it is signed and cannot accept a forged one by omission.
 *
 * @param secrets all that count now, current first; during a rotation there are two
 * @param headers lower-case names
 */
export function verifyDelivery(
  signature: HmacSignature,
  secrets: readonly string[],
  headers: Readonly<Record<string, string>>,
  rawBody: Uint8Array,
): DeliveryCheck {
  const header = signature.headers.find((name) => headers[name] !== undefined);
  const claimed = header === undefined ? undefined : headers[header];
  if (claimed === undefined) return { problem: "missing_signature" };
  const secretIndex = secretThatSigned(signature, secrets, claimed, rawBody);
  if (secretIndex === null) return { problem: "bad_signature" };
  return { delivery: restoreDelivery(headers, rawBody), secretIndex };
}

/**
 * A delivery that `verifyDelivery` let in earlier, read again from the store. The store holds nothing else; the
 * secret it was signed with may be gone by now.
 *
 * A body that is no JSON, or too deep, is `null`: the connector's `parse` refuses it and it stays in quarantine.
 */
export function restoreDelivery(headers: Readonly<Record<string, string>>, rawBody: Uint8Array): VerifiedDelivery {
  const parsed = parseJson(rawBody);
  // The brand is what these two functions give out; nothing else can.
  return { headers, body: "value" in parsed ? parsed.value : null } as VerifiedDelivery;
}

/** Tries every secret, so that the time taken does not tell which one fits. */
function secretThatSigned(
  { algorithm, encoding }: HmacSignature,
  secrets: readonly string[],
  claimed: string,
  rawBody: Uint8Array,
): number | null {
  const given = Buffer.from(claimed, encoding);
  // Node decodes leniently; only the canonical spelling of a signature counts.
  if (given.length !== 32 || given.toString(encoding) !== claimed) return null;
  const fits = secrets.map((secret) => timingSafeEqual(createHmac(algorithm, secret).update(rawBody).digest(), given));
  const index = fits.indexOf(true);
  return index === -1 ? null : index;
}
