import { allows } from "../oauth/scopes.ts";

/** `ORDERS_CREATE` → `orders/create`; the words before the last underscore name the resource. */
export function topicName(enumValue: string): string {
  const special = SPECIAL[enumValue];
  if (special) return special;
  const words = enumValue.toLowerCase();
  const cut = words.lastIndexOf("_");
  return `${words.slice(0, cut)}/${words.slice(cut + 1)}`;
}

/** Enum values whose verb has more than one word. */
const SPECIAL: Readonly<Record<string, string>> = {
  APP_SCOPES_UPDATE: "app/scopes_update",
  BULK_OPERATIONS_FINISH: "bulk_operations/finish",
  ORDERS_PARTIALLY_FULFILLED: "orders/partially_fulfilled",
  VARIANTS_IN_STOCK: "variants/in_stock",
  VARIANTS_OUT_OF_STOCK: "variants/out_of_stock",
};

const NEEDS: readonly (readonly [prefix: string, scope: string])[] = [
  ["CUSTOMERS_", "read_customers"],
  ["FULFILLMENTS_", "read_orders"],
  ["INVENTORY_", "read_inventory"],
  ["LOCATIONS_", "read_locations"],
  ["ORDERS_", "read_orders"],
  ["ORDER_TRANSACTIONS_", "read_orders"],
  ["PRODUCTS_", "read_products"],
  ["REFUNDS_", "read_orders"],
  ["VARIANTS_", "read_products"],
];

/** The scope an app lacks to subscribe to the topic, or null. */
export function missingScope(enumValue: string, granted: readonly string[]): string | null {
  const scope = NEEDS.find(([prefix]) => enumValue.startsWith(prefix))?.[1];
  return scope && !allows(granted, [scope]) ? scope : null;
}
