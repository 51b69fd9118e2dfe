/**
 * How a provider signs what it delivers, as data. Every scheme is an HMAC over the raw bytes; what else it covers, how
 * it is spelled and how old it may be differs.
 */
export type SignatureScheme = BodySignature | TimestampedSignature | RequestSignature | StandardWebhooksSignature;

/** HMAC of the body in a header of its own: Shopify, GitHub. It names no time, so copies are left to deduplication. */
export interface BodySignature {
  readonly kind: "body";
  readonly algorithm: "sha256" | "sha512";
  readonly encoding: "base64" | "hex";
  /** Before the signature, such as `sha256=`; mostly empty. */
  readonly prefix: string;
  /** The first of these that is present counts; lower-case. */
  readonly headers: readonly string[];
}

/**
 * HMAC-SHA256 of `<time>.<body>`, with the time and any number of signatures in one header: `t=1767225600,v1=…,v1=…`.
 *
 * @see https://docs.stripe.com/webhooks#verify-manually
 */
export interface TimestampedSignature {
  readonly kind: "timestamped";
  /** Lower-case. */
  readonly header: string;
  readonly encoding: "base64" | "hex";
  /** Key of the time, in Unix seconds. */
  readonly timeKey: string;
  /** Key of the signatures that count; others are skipped. */
  readonly signatureKey: string;
  readonly toleranceSeconds: number;
}

/**
 * HMAC-SHA256 of method, URL, body and time. The URL is the one that the provider was given, since the one that reaches
 * us may have been rewritten on the way.
 *
 * @see https://developers.hubspot.com/docs/api/webhooks/validating-requests
 */
export interface RequestSignature {
  readonly kind: "request";
  /** Lower-case. */
  readonly header: string;
  /** Header with the time in Unix milliseconds; lower-case. */
  readonly timeHeader: string;
  readonly encoding: "base64" | "hex";
  /** Percent-encodings that the provider undoes in the URL before it signs, such as `%3A`. All others stay. */
  readonly decodes: readonly string[];
  readonly toleranceSeconds: number;
}

/** @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md */
export interface StandardWebhooksSignature {
  readonly kind: "standard_webhooks";
  /** What the three headers begin with: `webhook`, or `svix` with older senders. */
  readonly headerPrefix: "webhook" | "svix";
  readonly toleranceSeconds: number;
}

/** A delivery as it came in: all that a signature may cover. */
export interface SignedRequest {
  readonly method: string;
  /** As the provider was given it. From our own records: the request's `Host` is the sender's to choose. */
  readonly url: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly rawBody: Uint8Array;
  readonly receivedAt: Date;
}

/** Headers that carry the signature and what belongs to it; lower-case. */
export function signatureHeaders(scheme: SignatureScheme): readonly string[] {
  switch (scheme.kind) {
    case "body":
      return scheme.headers;
    case "timestamped":
      return [scheme.header];
    case "request":
      return [scheme.header, scheme.timeHeader];
    case "standard_webhooks":
      return ["id", "timestamp", "signature"].map((name) => `${scheme.headerPrefix}-${name}`);
  }
}
