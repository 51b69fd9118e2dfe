import { createHmac, timingSafeEqual } from "node:crypto";
import type { CallbackProblem, ConnectionParams, OAuth2Auth, Scopes } from "../kit/index.ts";
import { isShopDomain } from "./shop-domain.ts";

/**
 * Authorization code for an expiring offline token: an hour, with a refresh token of 90 days that changes with every
 * refresh. Public apps get no other kind since April 2026.
 */
export const oauth2: OAuth2Auth = {
  kind: "oauth2",
  id: "oauth2",
  name: "Shopify",
  authorizeUrl: (params) => `${origin(params)}/admin/oauth/authorize`,
  tokenUrl: (params) => `${origin(params)}/admin/oauth/access_token`,
  issuer: null,
  scopeSeparator: ",",
  tokenHeader: { name: "x-shopify-access-token", prefix: "" },
  revocationUrl: null,
  introspectionUrl: null,
  pkce: false,
  requiresIss: false,
  clientAuthentication: { kind: "client_secret_post" },
  tokenRequestFormat: "form",
  exchangeParameters: { expiring: "1" },
  refresh: { kind: "rotating", oldTokenWorks: "until_replaced", idleDays: 90 },
  // Answers without a lifetime have been seen; a token taken for everlasting would never be refreshed.
  defaultLifetimeSeconds: 3600,
  verifyCallback,
};

export const scopes: Scopes = {
  byModel: {
    account: [],
    customer: ["read_customers"],
    product: ["read_products", "read_inventory"],
    variant: ["read_products", "read_inventory"],
    order: ["read_orders"],
    refund: ["read_orders"],
  },
  covers,
};

/** `https://<shop>`; the shop is checked again, since it decides who gets our secrets. */
export function origin(params: ConnectionParams): string {
  const shop = params["shop"];
  if (shop === undefined || !isShopDomain(shop)) throw new Error("connection without a valid shop domain");
  return `https://${shop}`;
}

/** `write_x` includes `read_x`: Shopify leaves the implied one out of what it tells as granted. */
function covers(granted: readonly string[], needed: string): boolean {
  return granted.includes(needed) || (needed.startsWith("read_") && granted.includes(`write_${needed.slice(5)}`));
}

/** Seconds that the callback's timestamp may differ from our clock, as in Shopify's own library. */
const CALLBACK_TOLERANCE_SECONDS = 90;

/** The signature first: nothing else of the query counts before it. */
function verifyCallback(input: Parameters<OAuth2Auth["verifyCallback"]>[0]): CallbackProblem | null {
  if (!isSigned(input.query, input.clientSecret)) return "bad_hmac";
  const timestamp = Number(input.query.get("timestamp") ?? Number.NaN);
  const ageSeconds = Math.abs(input.now.getTime() / 1000 - timestamp);
  // Written so that NaN is stale.
  if (!(ageSeconds <= CALLBACK_TOLERANCE_SECONDS)) return "stale_timestamp";
  return input.query.get("shop") === input.params["shop"] ? null : "wrong_account";
}

/**
 * Hex HMAC-SHA256 over the query without `hmac` and `signature`, sorted by key and form-encoded, with `%20` for a
 * space. A parameter that comes twice is never Shopify's: it is refused, so that two readers cannot differ on it.
 */
function isSigned(query: URLSearchParams, clientSecret: string): boolean {
  const names = [...query.keys()];
  if (new Set(names).size !== names.length) return false;
  const signed = new URLSearchParams(query);
  signed.delete("hmac");
  signed.delete("signature");
  signed.sort();
  const message = signed.toString().replaceAll("+", "%20");
  const claimed = query.get("hmac") ?? "";
  if (!/^[0-9a-f]{64}$/.test(claimed)) return false;
  const expected = createHmac("sha256", clientSecret).update(message).digest();
  return timingSafeEqual(expected, Buffer.from(claimed, "hex"));
}
