/** Proof that this page started an authorization: a secret, and what may be told about it beforehand. */
export interface Verifier {
  /** 32 random bytes, base64url. */
  readonly verifier: string;
  /** S256 as in PKCE: base64url of the SHA-256 of the text above. @see RFC 7636 4.2 */
  readonly challenge: string;
}

export async function createVerifier(crypto: Crypto): Promise<Verifier> {
  const verifier = base64url(crypto.getRandomValues(new Uint8Array(32)));
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  return { verifier, challenge: base64url(new Uint8Array(digest)) };
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");
}
