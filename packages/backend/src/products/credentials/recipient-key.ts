import { AppError, type RecipientKey } from "@patchbay/shared";
import { createPublicKey, type KeyObject } from "node:crypto";

/** A public key that something may be encrypted to, and how. */
export interface Recipient {
  readonly key: KeyObject;
  readonly keyId: string | null;
  readonly algorithm: "RSA-OAEP-256" | "ECDH-ES+A256KW";
}

const RSA_BITS_MIN = 2048;
/** More costs us time and gives nobody anything. */
const RSA_BITS_MAX = 8192;
const CURVES: ReadonlySet<unknown> = new Set(["P-256", "P-384", "P-521"]);
/** Whoever sends these has shown a key to the network that was to stay at home. */
const PRIVATE_MEMBERS = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/** @throws AppError `invalid_request` for a key that is private, weak or not understood */
export function parseRecipient(jwk: RecipientKey): Recipient {
  const leaked = PRIVATE_MEMBERS.find((name) => jwk[name] !== undefined);
  if (leaked !== undefined) {
    throw refuse(`holds the private member "${leaked}"; make a new pair and send its public half alone`);
  }
  if (jwk["use"] !== undefined && jwk["use"] !== "enc") throw refuse(`is not for encryption; its "use" must be "enc"`);
  const keyId = jwk.kid ?? null;
  if (jwk.kty === "EC") {
    if (!CURVES.has(jwk.crv)) throw refuse("must be on P-256, P-384 or P-521");
    return { key: toKey({ kty: "EC", crv: jwk.crv, x: jwk.x, y: jwk.y }), keyId, algorithm: "ECDH-ES+A256KW" };
  }
  const key = toKey({ kty: "RSA", n: jwk.n, e: jwk.e });
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
  if (modulusLength < RSA_BITS_MIN || modulusLength > RSA_BITS_MAX) {
    throw refuse(`has ${modulusLength} bits; RSA keys must have ${RSA_BITS_MIN} to ${RSA_BITS_MAX}`);
  }
  if (publicExponent < 3n || publicExponent % 2n === 0n) throw refuse("has an exponent that is none");
  return { key, keyId, algorithm: "RSA-OAEP-256" };
}

function toKey(jwk: Readonly<Record<string, unknown>>): KeyObject {
  try {
    return createPublicKey({ key: jwk, format: "jwk" });
  } catch (cause) {
    throw refuse("is not a JSON Web Key that can be read", cause);
  }
}

function refuse(what: string, cause?: unknown): AppError {
  return new AppError("invalid_request", `publicKey ${what}`, {
    cause,
    errors: [{ path: "publicKey", message: what }],
  });
}
