import type { Json } from "../json.ts";
import type { Bag, LineItem, Order } from "../model.ts";
import { isZero, toDecimal, ZERO } from "../money.ts";
import { currentQuantity, lineTax, unfulfilledQuantity } from "../totals.ts";
import { gid, moneySet } from "./parts.ts";

export function lineBody(order: Order, line: LineItem): { readonly [key: string]: Json } {
  const tax = lineTax(order, line, line.quantity);
  return {
    id: line.id,
    admin_graphql_api_id: gid("LineItem", line.id),
    attributed_staffs: [],
    current_quantity: currentQuantity(order, line),
    fulfillable_quantity: unfulfilledQuantity(order, line),
    fulfillment_service: "manual",
    fulfillment_status: null,
    gift_card: line.isGiftCard,
    grams: line.grams,
    name: lineName(line),
    price: toDecimal(line.unit.shop, order.currency),
    price_set: moneySet(order, line.unit),
    product_exists: line.productId !== null,
    product_id: line.productId,
    properties: [],
    quantity: line.quantity,
    requires_shipping: line.requiresShipping,
    sales_line_item_group_id: null,
    sku: line.sku,
    taxable: line.taxable,
    title: line.title,
    total_discount: toDecimal(0, order.currency),
    total_discount_set: moneySet(order, ZERO),
    variant_id: line.variantId,
    variant_inventory_management: "shopify",
    variant_title: line.variantTitle,
    vendor: line.vendor,
    tax_lines: taxLines(order, tax),
    duties: [],
    discount_allocations: isZero(line.discount)
      ? []
      : [
          {
            amount: toDecimal(line.discount.shop, order.currency),
            amount_set: moneySet(order, line.discount),
            discount_application_index: 0,
          },
        ],
  };
}

export function lineName(line: LineItem): string {
  return line.variantTitle ? `${line.title} - ${line.variantTitle}` : line.title;
}

export function taxLines(order: Order, tax: Bag): Json {
  if (isZero(tax)) return [];
  const price = toDecimal(tax.shop, order.currency);
  return [
    { price, rate: order.tax.rate, title: order.tax.title, price_set: moneySet(order, tax), channel_liable: false },
  ];
}
