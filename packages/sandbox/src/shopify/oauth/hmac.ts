import { createHmac, timingSafeEqual } from "node:crypto";

/** Hex HMAC-SHA256 over the sorted, percent-encoded parameters, as Shopify signs a callback. Spaces are `%20`. */
export function signParameters(parameters: Readonly<Record<string, string>>, secret: string): string {
  const message = Object.entries(parameters)
    .filter(([key]) => key !== "hmac" && key !== "signature")
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${encodeURIComponent(key)}=${encodeURIComponent(value)}`)
    .join("&");
  return createHmac("sha256", secret).update(message).digest("hex");
}

/** Base64 HMAC-SHA256 over the raw body, as Shopify signs a webhook. */
export function signBody(body: string, secret: string): string {
  return createHmac("sha256", secret).update(body, "utf8").digest("base64");
}

export function sameSecret(a: string, b: string): boolean {
  const left = createHmac("sha256", "compare").update(a).digest();
  const right = createHmac("sha256", "compare").update(b).digest();
  return timingSafeEqual(left, right);
}
