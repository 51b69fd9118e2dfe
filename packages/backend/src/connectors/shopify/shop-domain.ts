import type { ConnectionParameter } from "../kit/index.ts";

/** One DNS label in front of the fixed domain: this host gets our client secret, so nothing else may pass. */
const SHOP_DOMAIN = /^[a-z0-9][a-z0-9-]{0,62}\.myshopify\.com$/;

const INPUT_LENGTH_MAX = 300;
const HANDLE = "([a-z0-9][a-z0-9-]{0,62})";
const REST = "(?:[/?#].*)?";
/** What people type or copy from the address bar. */
const SPELLINGS = [
  new RegExp(`^${HANDLE}/*$`),
  new RegExp(`^(?:https?://)?${HANDLE}\\.myshopify\\.com${REST}$`),
  new RegExp(`^(?:https?://)?admin\\.shopify\\.com/store/${HANDLE}${REST}$`),
];

/** The canonical shop domain, or `null` when `input` names none: custom domains cannot be told from other sites. */
export function normalizeShopDomain(input: string): string | null {
  const text = input.trim();
  // Printable ASCII first: lower-casing turns some letters beyond it into ASCII, such as the Kelvin sign into k.
  if (text.length > INPUT_LENGTH_MAX || !/^[\x21-\x7e]+$/.test(text)) return null;
  const lower = text.toLowerCase();
  for (const spelling of SPELLINGS) {
    const handle = spelling.exec(lower)?.[1];
    if (handle !== undefined) return `${handle}.myshopify.com`;
  }
  return null;
}

export function isShopDomain(text: string): boolean {
  return SHOP_DOMAIN.test(text);
}

export const shopParameter: ConnectionParameter = {
  name: "shop",
  label: "Your Shopify store address",
  hint: "Find it in your browser’s address bar when you’re in Shopify admin.",
  suffix: ".myshopify.com",
  example: "acme",
  normalize: normalizeShopDomain,
  pattern: SHOP_DOMAIN,
};
