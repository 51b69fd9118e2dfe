import { encodeUuid, type AuthorizationId } from "@patchbay/shared";

/** Binds the browser that was sent to the provider to the one that comes back. */
export interface BrowserCookie {
  readonly name: string;
  readonly value: string;
  readonly maxAgeSeconds: number;
  readonly secure: boolean;
  readonly httpOnly: true;
  readonly sameSite: "Lax";
  readonly path: "/";
}

const MAX_AGE_SECONDS = 600;

export function browserCookie(publicUrl: string, authorizationId: AuthorizationId, value: string): BrowserCookie {
  return {
    name: cookieName(publicUrl, authorizationId),
    value,
    maxAgeSeconds: MAX_AGE_SECONDS,
    secure: isSecure(publicUrl),
    httpOnly: true,
    // Strict would not be sent on the way back from the provider.
    sameSite: "Lax",
    path: "/",
  };
}

/** `__Host-` keeps sister hosts from setting it; browsers take that prefix over TLS only, so not on http://localhost. */
export function cookieName(publicUrl: string, authorizationId: AuthorizationId): string {
  return `${isSecure(publicUrl) ? "__Host-" : ""}patchbay_${encodeUuid(authorizationId)}`;
}

function isSecure(publicUrl: string): boolean {
  return publicUrl.startsWith("https://");
}
