import type { Json } from "../json.ts";
import type { Bag, Catalog, Fulfillment, Order } from "../model.ts";
import { add, subtract, toDecimal, ZERO } from "../money.ts";
import { financialStatus, fulfillmentStatus, totalsOf } from "../totals.ts";
import { customerCore } from "./customer.ts";
import { lineBody, taxLines } from "./line.ts";
import { gid, moneySet, orderAddress, restTime } from "./parts.ts";
import { refundBody } from "./refund.ts";

/** The body of the `orders/*` topics: the order as the legacy REST API writes it. */
export function orderBody(catalog: Catalog, order: Order): Json {
  const totals = totalsOf(order);
  const customer = order.customerId === null ? undefined : catalog.customers.get(order.customerId);
  return {
    id: order.id,
    admin_graphql_api_id: gid("Order", order.id),
    app_id: null,
    browser_ip: null,
    buyer_accepts_marketing: false,
    cancel_reason: order.cancelReason?.toLowerCase() ?? null,
    cancelled_at: restTime(order.cancelledAt),
    cart_token: null,
    checkout_token: null,
    client_details: null,
    closed_at: restTime(order.closedAt),
    confirmation_number: order.confirmationNumber,
    confirmed: true,
    contact_email: order.email,
    created_at: restTime(order.createdAt),
    currency: order.currency,
    current_shipping_price_set: moneySet(order, subtract(totals.shipping, totals.refundedShipping)),
    ...amount(order, "current_subtotal_price", totals.current.subtotal),
    current_total_additional_fees_set: null,
    ...amount(order, "current_total_discounts", totals.current.discounts),
    current_total_duties_set: null,
    ...amount(order, "current_total_price", totals.current.total),
    ...amount(order, "current_total_tax", totals.current.tax),
    customer_locale: customer?.locale ?? null,
    device_id: null,
    discount_codes: discountCodes(order, totals.total.discounts),
    duties_included: false,
    email: order.email ?? "",
    estimated_taxes: false,
    financial_status: financialStatus(order).toLowerCase(),
    fulfillment_status: restFulfillmentStatus(order),
    landing_site: null,
    landing_site_ref: null,
    location_id: null,
    merchant_business_entity_id: "MTU0ODM4MDAwOQ",
    merchant_of_record_app_id: null,
    name: `#${order.number}`,
    note: order.note,
    note_attributes: order.customAttributes.map((attribute) => ({ name: attribute.key, value: attribute.value })),
    number: order.number - 1000,
    order_number: order.number,
    order_status_url: statusUrl(catalog, order),
    original_total_additional_fees_set: null,
    original_total_duties_set: null,
    payment_gateway_names: [order.gateway],
    phone: order.phone,
    po_number: order.poNumber,
    presentment_currency: order.presentmentCurrency,
    processed_at: restTime(order.createdAt),
    reference: null,
    referring_site: null,
    source_identifier: null,
    source_name: order.sourceName,
    source_url: null,
    ...amount(order, "subtotal_price", totals.total.subtotal),
    tags: order.tags.join(", "),
    tax_exempt: false,
    tax_lines: taxLines(order, totals.total.tax),
    taxes_included: order.taxesIncluded,
    test: order.test,
    token: order.confirmationNumber.toLowerCase(),
    total_cash_rounding_payment_adjustment_set: moneySet(order, ZERO),
    total_cash_rounding_refund_adjustment_set: moneySet(order, ZERO),
    ...amount(order, "total_discounts", totals.total.discounts),
    ...amount(order, "total_line_items_price", add(totals.total.subtotal, totals.total.discounts)),
    total_outstanding: toDecimal(Math.max(0, totals.outstanding.shop), order.currency),
    ...amount(order, "total_price", totals.total.total),
    total_shipping_price_set: moneySet(order, totals.shipping),
    ...amount(order, "total_tax", totals.total.tax),
    total_tip_received: toDecimal(0, order.currency),
    total_weight: order.lines.reduce((sum, line) => sum + line.grams * line.quantity, 0),
    updated_at: restTime(order.updatedAt),
    user_id: null,
    billing_address: orderAddress(order.billingAddress),
    customer: customer ? customerCore(catalog, customer) : null,
    discount_applications: discountApplications(order),
    fulfillments: order.fulfillments.map((fulfillment) => fulfillmentBody(order, fulfillment)),
    line_items: order.lines.map((line) => lineBody(order, line)),
    payment_terms: null,
    refunds: order.refunds.map((refund) => refundBody(catalog, order, refund)),
    shipping_address: orderAddress(order.shippingAddress),
    shipping_lines: shippingLines(order),
    returns: [],
    line_item_groups: [],
  };
}

/** The body of the `fulfillments/*` topics. */
export function fulfillmentBody(order: Order, fulfillment: Fulfillment): Json {
  return {
    id: fulfillment.id,
    order_id: order.id,
    status: fulfillment.status.toLowerCase(),
    created_at: restTime(fulfillment.createdAt),
    service: "manual",
    updated_at: restTime(fulfillment.updatedAt),
    tracking_company: fulfillment.tracking?.company ?? null,
    shipment_status: fulfillment.displayStatus === "DELIVERED" ? "delivered" : null,
    location_id: fulfillment.locationId,
    origin_address: null,
    email: order.email,
    destination: orderAddress(order.shippingAddress),
    line_items: fulfillment.lines.flatMap((shipped) => {
      const line = order.lines.find((candidate) => candidate.id === shipped.lineItemId);
      return line ? [{ ...lineBody(order, line), quantity: shipped.quantity }] : [];
    }),
    tracking_number: fulfillment.tracking?.number ?? null,
    tracking_numbers: fulfillment.tracking ? [fulfillment.tracking.number] : [],
    tracking_url: fulfillment.tracking?.url ?? null,
    tracking_urls: fulfillment.tracking ? [fulfillment.tracking.url] : [],
    receipt: {},
    name: fulfillment.name,
    admin_graphql_api_id: gid("Fulfillment", fulfillment.id),
  };
}

export function statusUrl(catalog: Catalog, order: Order): string {
  const { domain, id } = catalog.profile;
  return `https://${domain}/${id}/orders/${order.confirmationNumber.toLowerCase()}/authenticate?key=sandbox`;
}

function amount(order: Order, name: string, bag: Bag): { readonly [key: string]: Json } {
  return { [name]: toDecimal(bag.shop, order.currency), [`${name}_set`]: moneySet(order, bag) };
}

function discountCodes(order: Order, discounts: Bag): Json {
  if (order.discountCode === null) return [];
  return [{ code: order.discountCode, amount: toDecimal(discounts.shop, order.currency), type: "percentage" }];
}

function discountApplications(order: Order): Json {
  if (order.discountCode === null) return [];
  return [
    {
      target_type: "line_item",
      type: "discount_code",
      value: "10.0",
      value_type: "percentage",
      allocation_method: "across",
      target_selection: "all",
      code: order.discountCode,
    },
  ];
}

function restFulfillmentStatus(order: Order): string | null {
  const status = fulfillmentStatus(order);
  if (status === "FULFILLED") return "fulfilled";
  return status === "PARTIALLY_FULFILLED" ? "partial" : null;
}

function shippingLines(order: Order): Json {
  if (!order.shipping) return [];
  const { id, title, price } = order.shipping;
  return [
    {
      id,
      carrier_identifier: null,
      code: title,
      current_discounted_price_set: moneySet(order, subtract(price, totalsOf(order).refundedShipping)),
      discounted_price: toDecimal(price.shop, order.currency),
      discounted_price_set: moneySet(order, price),
      is_removed: false,
      phone: null,
      price: toDecimal(price.shop, order.currency),
      price_set: moneySet(order, price),
      requested_fulfillment_service_id: null,
      source: "shopify",
      title,
      tax_lines: [],
      discount_allocations: [],
    },
  ];
}
