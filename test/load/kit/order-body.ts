/** About 2 KB, as the webhooks of small orders have; the id is the one thing that is read of it. */
export function orderBody(n: number): string {
  return `{"id":${ORDER_ID_BASE + n},"admin_graphql_api_id":"gid://shopify/Order/${ORDER_ID_BASE + n}",${REST}`;
}

/** The sandbox's own ids have three digits more. */
export const ORDER_ID_BASE = 900_000_000_000_000;

export function isMadeUp(orderId: number): boolean {
  return orderId >= ORDER_ID_BASE && orderId < ORDER_ID_BASE + 1_000_000_000;
}

const REST = JSON.stringify({
  currency: "USD",
  created_at: "2026-10-01T12:00:00-04:00",
  financial_status: "paid",
  total_price: "409.94",
  customer: { id: 207119551, email: "bob.norman@mail.example.com", first_name: "Bob", last_name: "Norman" },
  line_items: Array.from({ length: 5 }, (_, i) => ({
    id: 466157049 + i,
    title: `IPod Nano - 8gb, colour number ${i}`,
    variant_title: "green",
    sku: `IPOD2008GREEN-${i}`,
    quantity: 1,
    price: "199.00",
    vendor: "Apple",
    fulfillable_quantity: 1,
    requires_shipping: true,
    taxable: true,
    properties: [{ name: "Custom Engraving Front", value: "Happy Birthday" }],
  })),
  shipping_address: { address1: "Chestnut Street 92", city: "Louisville", zip: "40202", country_code: "US" },
}).slice(1);
