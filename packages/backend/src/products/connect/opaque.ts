import { constantTimeEqual } from "@oslojs/crypto/subtle";
import { decodeUuid, encodeUuid, type AuthorizationId, type WorkspaceId } from "@patchbay/shared";
import { createHash } from "node:crypto";
import { randomToken } from "../../platform/runtime/index.ts";

/** Bytes of randomness in everything that only one browser or URL holds. */
export const SECRET_BYTES = 32;

/** Whom an opaque value claims to speak of. Unverified until its hash was compared with the one that is kept. */
export interface AuthorizationHint {
  readonly workspaceId: WorkspaceId;
  readonly authorizationId: AuthorizationId;
}

/** 26 characters of workspace and 26 of authorization: the front of tickets and states, and the whole of references. */
export function hintText(hint: AuthorizationHint): string {
  return encodeUuid(hint.workspaceId) + encodeUuid(hint.authorizationId);
}

/** A new value that leads to an authorization and proves itself by 256 random bits. */
export function makeOpaque(hint: AuthorizationHint): string {
  return hintText(hint) + randomToken(SECRET_BYTES);
}

/** `null` for anything that {@link makeOpaque} cannot have made. */
export function readOpaque(text: string): AuthorizationHint | null {
  return /^[0-9a-z]{52}[A-Za-z0-9_-]{43}$/.test(text) ? readHint(text.slice(0, 52)) : null;
}

/** `null` for anything that {@link hintText} cannot have made. */
export function readHint(text: string): AuthorizationHint | null {
  if (text.length !== 52) return null;
  const workspaceId = decodeUuid(text.slice(0, 26));
  const authorizationId = decodeUuid(text.slice(26));
  if (workspaceId === null || authorizationId === null) return null;
  // Brands of what the text claims; nothing is trusted before the hash was compared.
  return { workspaceId: workspaceId as WorkspaceId, authorizationId: authorizationId as AuthorizationId };
}

/** What is kept of a secret. 256 random bits need no slow hash. */
export function hashOf(secret: string): Uint8Array {
  return createHash("sha256").update(secret).digest();
}

/** Compares in constant time; `kept` is `null` when the secret was burnt. */
export function matchesHash(secret: string, kept: Uint8Array | null): boolean {
  return kept !== null && constantTimeEqual(hashOf(secret), kept);
}
