import { createHmac, createSecretKey, timingSafeEqual, type KeyObject } from "node:crypto";

const CHECK_BYTES = 8;

/** Tells a wrong key at once: the first 8 bytes of HMAC-SHA256(key, "pb.kcv"). */
export function keyCheck(key: KeyObject): Uint8Array {
  return createHmac("sha256", key).update("pb.kcv").digest().subarray(0, CHECK_BYTES);
}

/** The unwrapped bytes as a key, after comparison; the bytes are wiped. @throws Error when it is another key */
export function checkedKey(bytes: Uint8Array, expected: Uint8Array): KeyObject {
  const key = createSecretKey(bytes);
  bytes.fill(0);
  const check = keyCheck(key);
  if (expected.byteLength !== CHECK_BYTES || !timingSafeEqual(check, expected)) {
    throw new Error("unwrapped key does not match its check value");
  }
  return key;
}
