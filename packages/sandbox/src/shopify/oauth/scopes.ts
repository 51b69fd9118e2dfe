/** Scopes as Shopify writes them back: without `read_x` where `write_x` is there. */
export function compact(scopes: readonly string[]): string[] {
  const set = new Set(scopes);
  return [...set].filter((scope) => !(scope.startsWith("read_") && set.has(scope.replace("read_", "write_")))).sort();
}

/** True when one of `any` was granted, itself or through the `write_` scope that implies it. */
export function allows(granted: readonly string[], any: readonly string[]): boolean {
  return any.some((scope) => granted.includes(scope) || granted.includes(scope.replace(/^read_/, "write_")));
}

export function parseScopes(text: string): string[] {
  return text.split(/[,\s]+/).filter((scope) => scope.length > 0);
}

export const KNOWN_SCOPE = /^(unauthenticated_)?(read|write)_[a-z_]{2,60}$/;

const WORDS: Readonly<Record<string, string>> = {
  all_orders: "all orders, also those older than 60 days",
  assigned_fulfillment_orders: "fulfillment orders assigned to the app",
  customers: "customers: names, contact details, addresses",
  fulfillments: "fulfillments and tracking numbers",
  inventory: "inventory quantities",
  locations: "store locations",
  merchant_managed_fulfillment_orders: "fulfillment orders of your own locations",
  orders: "orders, refunds and transactions",
  products: "products, variants and collections",
  third_party_fulfillment_orders: "fulfillment orders of third parties",
};

/** `read_orders` → "View orders, refunds and transactions". */
export function inWords(scope: string): string {
  const write = scope.startsWith("write_");
  const resource = scope.replace(/^(unauthenticated_)?(read|write)_/, "");
  return `${write ? "View and edit" : "View"} ${WORDS[resource] ?? resource.replaceAll("_", " ")}`;
}
