import { existsSync, readdirSync, readFileSync } from "node:fs";

/** Bodies of Shopify's webhooks by topic, about the objects that its documentation takes for examples. */
export type Bodies = ReadonlyMap<string, string>;

/** Ids of the documentation's objects; beyond 2^53 where Shopify's own are. */
export const DOCUMENTED = {
  order: "820982911946154508",
  customer: "706405506930370084",
  product: "788032119674292922",
  refund: "890088186047892319",
} as const;
export type DocumentedIds = Readonly<Record<keyof typeof DOCUMENTED, bigint>>;

/** Puts ids of a real store's objects in the place of the documentation's: in the text, so that no digit is lost. */
export function about(body: string, ids: Partial<DocumentedIds>, shop: { id: bigint; domain: string }): string {
  const withIds = Object.entries(DOCUMENTED).reduce((text, [kind, documented]) => {
    const id = ids[kind as keyof typeof DOCUMENTED];
    return id === undefined ? text : text.replaceAll(documented, id.toString());
  }, body);
  return withIds
    .replaceAll(/\b(954889|548380009)\b/g, shop.id.toString())
    .replaceAll("{shop}.myshopify.com", shop.domain);
}

/** Written for this test: what each topic's body must have, and contents that contradict the store on purpose. */
export const OWN_BODIES: Bodies = new Map([
  ["orders/create", order('"note":null')],
  ["orders/updated", order('"note":"not what the store says"')],
  ["orders/cancelled", order('"cancel_reason":"customer","cancelled_at":"2021-12-31T19:00:00-05:00"')],
  ["orders/delete", `{"id":${DOCUMENTED.order}}`],
  [
    "refunds/create",
    `{"id":${DOCUMENTED.refund},"order_id":${DOCUMENTED.order},"note":"Broken","restock":false,
      "admin_graphql_api_id":"gid://shopify/Refund/${DOCUMENTED.refund}",
      "refund_line_items":[{"id":487817672276298600,"quantity":1,"subtotal":89.99}]}`,
  ],
  [
    "fulfillments/create",
    `{"id":123456,"order_id":${DOCUMENTED.order},"status":"pending","tracking_company":"UPS",
      "admin_graphql_api_id":"gid://shopify/Fulfillment/123456"}`,
  ],
  [
    "order_transactions/create",
    `{"id":120560818172775265,"order_id":${DOCUMENTED.order},"kind":"authorization","amount":"403.00",
      "admin_graphql_api_id":"gid://shopify/OrderTransaction/120560818172775265"}`,
  ],
  ["products/create", product("A first title")],
  ["products/update", product("A title the store never had")],
  ["products/delete", `{"id":${DOCUMENTED.product}}`],
  ["customers/create", customer("a first note")],
  ["customers/update", customer("a note the store never had")],
  [
    "customers/delete",
    `{"id":${DOCUMENTED.customer},"admin_graphql_api_id":"gid://shopify/Customer/${DOCUMENTED.customer}"}`,
  ],
  ["inventory_items/update", `{"id":271878346596884015,"sku":"example-sku","tracked":true}`],
  ["inventory_levels/update", `{"inventory_item_id":271878346596884015,"location_id":24826418,"available":10}`],
  ["locations/update", `{"id":866550311766439020,"name":"A shop","active":true}`],
  ["bulk_operations/finish", `{"admin_graphql_api_id":"gid://shopify/BulkOperation/147595010","status":"completed"}`],
  ["app/uninstalled", `{"id":548380009,"name":"A shop","myshopify_domain":"{shop}.myshopify.com"}`],
  ["app/scopes_update", `{"id":1,"shop_id":"gid://shopify/Shop/548380009","previous":[],"current":["read_products"]}`],
  [
    "customers/data_request",
    `{"shop_id":954889,"shop_domain":"{shop}.myshopify.com","orders_requested":[299938],
      "customer":{"id":191167,"email":"john@example.com"},"data_request":{"id":9999}}`,
  ],
  [
    "customers/redact",
    `{"shop_id":954889,"shop_domain":"{shop}.myshopify.com","orders_to_redact":[299938],
      "customer":{"id":191167,"email":"john@example.com"}}`,
  ],
  ["shop/redact", `{"shop_id":954889,"shop_domain":"{shop}.myshopify.com"}`],
]);

const SAMPLES = new URL("../../../../shared/vendors/samples/shopify/", import.meta.url);

/** The documentation's own examples, where somebody keeps a copy beside this checkout; `null` where not. */
export function publishedBodies(): Bodies | null {
  if (!existsSync(SAMPLES)) return null;
  const names = readdirSync(SAMPLES).filter((name) => /^webhook\..+\.json$/.test(name));
  return new Map(names.map((name) => [topicOf(name), readFileSync(new URL(name, SAMPLES), "utf8")]));
}

/** `webhook.order_transactions_create.json` → `order_transactions/create` */
function topicOf(file: string): string {
  const words = file.replace(/^webhook\.|\.json$/g, "");
  const action = /(?:scopes_update|data_request|[a-z]+)$/.exec(words)?.[0] ?? "";
  return `${words.slice(0, -action.length - 1)}/${action}`;
}

function order(more: string): string {
  return `{"id":${DOCUMENTED.order},"admin_graphql_api_id":"gid://shopify/Order/${DOCUMENTED.order}","name":"#9999",
    "currency":"USD","current_total_price":"414.95","total_price":"404.95","financial_status":"voided",${more},
    "line_items":[{"id":866550311766439020,"quantity":1,"price":"199.00","title":"A player"}]}`;
}

function product(title: string): string {
  return `{"id":${DOCUMENTED.product},"admin_graphql_api_id":"gid://shopify/Product/${DOCUMENTED.product}",
    "title":"${title}","handle":"example","status":"active","variants":[{"id":642667041472713922,"price":"19.99"}]}`;
}

function customer(note: string): string {
  return `{"id":${DOCUMENTED.customer},"admin_graphql_api_id":"gid://shopify/Customer/${DOCUMENTED.customer}",
    "first_name":"Bob","last_name":"Biller","state":"disabled","note":"${note}"}`;
}
