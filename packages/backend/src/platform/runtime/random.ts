import { encodeBase64urlNoPadding } from "@oslojs/encoding";
import { randomBytes } from "node:crypto";

/** Uniform in [0, 1). Passed in, so that tests can fix it. */
export type Random = () => number;

/** `bytes` bytes of the operating system's randomness as base64url without padding. */
export function randomToken(bytes: number): string {
  return encodeBase64urlNoPadding(randomBytes(bytes));
}
