import type { SignatureScheme } from "./signature.ts";

/** What a scheme signs, in order. */
export type SignedContent = readonly (string | Uint8Array)[];

/** Everything that a signature may cover, as the sender and we both know it. */
export interface SignedParts {
  readonly method: string;
  readonly url: string;
  readonly rawBody: Uint8Array;
  /** Of the delivery; empty where the scheme knows none. */
  readonly id: string;
  /** As it is written; empty where the scheme knows none. */
  readonly time: string;
}

/** The one place that knows what each scheme covers: verifying and signing (for tests) both ask here. */
export function signedContent(scheme: SignatureScheme, { method, url, rawBody, id, time }: SignedParts): SignedContent {
  switch (scheme.kind) {
    case "body":
      return [rawBody];
    case "timestamped":
      return [`${time}.`, rawBody];
    case "request":
      return [method, decoded(url, scheme.decodes), rawBody, time];
    case "standard_webhooks":
      return [`${id}.${time}.`, rawBody];
  }
}

/** The key of the HMAC. @returns empty for a secret that has none in it: nothing may be signed with that */
export function signingKey(scheme: SignatureScheme, secret: string): Uint8Array {
  if (scheme.kind !== "standard_webhooks") return Buffer.from(secret);
  return Buffer.from(secret.replace(/^whsec_/, ""), "base64");
}

function decoded(url: string, encodings: readonly string[]): string {
  return encodings.reduce((text, encoding) => {
    const pattern = new RegExp(encoding, "gi");
    return text.replaceAll(pattern, decodeURIComponent(encoding));
  }, url);
}
