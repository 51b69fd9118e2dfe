import { currencyExponent, type NormalizedOrder, type OrderPresentment, type OrderStatus } from "@patchbay/shared";
import { z } from "zod";
import { defineResource, type NormalizeContext } from "../../kit/index.ts";
import { numericId } from "../api.ts";
import { readByIds, updatedList } from "../lists.ts";
import { ORDERS, ORDERS_BY_ID, ORDERS_COUNT } from "../queries.ts";
import {
  adminUrl,
  Beside,
  BothMoney,
  connectionOf,
  Gid,
  Instant,
  instant,
  instantOrNull,
  minorUnits,
  RawAddress,
  remoteFacts,
  shopAmount,
  shopAmountOrNull,
  ShopMoney,
  toAddress,
  wordOrNull,
} from "../raw.ts";
import { orderExpansions } from "./order-expansions.ts";
import { attributesOf, normalizeLine, RawLine } from "./order-lines.ts";
import { normalizeRefund, RawRefund } from "./refunds.ts";

const RawOrder = z.looseObject({
  ...Beside,
  id: Gid,
  number: z.int(),
  name: z.string(),
  confirmationNumber: z.string().nullable(),
  poNumber: z.string().nullable(),
  email: z.string().nullable(),
  phone: z.string().nullable(),
  customerLocale: z.string().nullable(),
  note: z.string().nullable(),
  tags: z.array(z.string()),
  test: z.boolean(),
  closed: z.boolean(),
  taxesIncluded: z.boolean(),
  sourceName: z.string().nullable(),
  paymentGatewayNames: z.array(z.string()),
  discountCodes: z.array(z.string()),
  customAttributes: z.array(z.looseObject({ key: z.string(), value: z.string().nullable() })),
  displayFinancialStatus: z.string().nullable(),
  displayFulfillmentStatus: z.string(),
  returnStatus: z.string(),
  cancelReason: z.string().nullable(),
  currencyCode: z.string(),
  presentmentCurrencyCode: z.string(),
  createdAt: Instant,
  updatedAt: Instant,
  processedAt: Instant,
  closedAt: Instant.nullable(),
  cancelledAt: Instant.nullable(),
  // `null` for a guest, and for a token that may not read customers.
  customer: z.looseObject({ id: Gid }).nullable(),
  billingAddress: RawAddress.nullable(),
  shippingAddress: RawAddress.nullable(),
  subtotalPriceSet: BothMoney.nullable(),
  totalDiscountsSet: BothMoney.nullable(),
  totalShippingPriceSet: BothMoney,
  totalTaxSet: BothMoney.nullable(),
  totalPriceSet: BothMoney,
  currentTotalPriceSet: BothMoney,
  totalRefundedSet: BothMoney,
  totalTipReceivedSet: ShopMoney,
  originalTotalDutiesSet: ShopMoney.nullable(),
  originalTotalAdditionalFeesSet: ShopMoney.nullable(),
  originalTotalPriceSet: ShopMoney,
  currentSubtotalPriceSet: ShopMoney,
  currentTotalDiscountsSet: ShopMoney,
  currentTotalTaxSet: ShopMoney,
  totalReceivedSet: ShopMoney,
  netPaymentSet: ShopMoney,
  totalOutstandingSet: ShopMoney,
  taxLines: z.array(
    z.looseObject({
      title: z.string(),
      rate: z.number().nullable(),
      source: z.string().nullable(),
      priceSet: ShopMoney,
    }),
  ),
  shippingLines: connectionOf(
    z.looseObject({
      id: Gid.nullable(),
      title: z.string(),
      code: z.string().nullable(),
      carrierIdentifier: z.string().nullable(),
      originalPriceSet: ShopMoney,
      discountedPriceSet: ShopMoney,
    }),
  ),
  lineItems: connectionOf(RawLine),
  refunds: z.array(RawRefund.omit({ order: true, shop: true, denied: true })),
});
type RawOrder = z.output<typeof RawOrder>;

const FINANCIAL = {
  PENDING: "pending",
  AUTHORIZED: "authorized",
  PARTIALLY_PAID: "partially_paid",
  PAID: "paid",
  PARTIALLY_REFUNDED: "partially_refunded",
  REFUNDED: "refunded",
  VOIDED: "voided",
  EXPIRED: "expired",
} as const;
const FULFILLMENT = {
  UNFULFILLED: "unfulfilled",
  // Shopify's own older words for the two next to them.
  OPEN: "unfulfilled",
  PENDING_FULFILLMENT: "in_progress",
  IN_PROGRESS: "in_progress",
  SCHEDULED: "scheduled",
  ON_HOLD: "on_hold",
  PARTIALLY_FULFILLED: "partially_fulfilled",
  FULFILLED: "fulfilled",
  FULFILLMENT_NOT_REQUIRED: "not_required",
  RESTOCKED: "restocked",
  REQUEST_DECLINED: "request_declined",
} as const;
const RETURNS = {
  NO_RETURN: "no_return",
  RETURN_REQUESTED: "return_requested",
  IN_PROGRESS: "in_progress",
  INSPECTION_COMPLETE: "inspection_complete",
  RETURNED: "returned",
  RETURN_FAILED: "return_failed",
} as const;
const CANCEL_REASONS = {
  CUSTOMER: "customer",
  FRAUD: "fraud",
  INVENTORY: "inventory",
  DECLINED: "declined",
  STAFF: "staff",
  OTHER: "other",
} as const;

/** Our names of what a missing scope or protected customer data may withhold. */
const DENIABLE = {
  customer: "customerId",
  "lineItems.nodes.product": "lines.productId",
  "lineItems.nodes.variant": "lines.variantId",
};

const listing = {
  type: "Order",
  root: "orders",
  document: ORDERS,
  pageSize: { initial: 25, min: 1, max: 50 },
  itemCost: 8,
  count: { document: ORDERS_COUNT, root: "ordersCount" },
  expansions: orderExpansions,
};

export const orders = defineResource({
  name: "orders",
  model: "order",
  childOf: null,
  raw: RawOrder,
  projectionVersion: 1,
  changes: "updated_since",
  deletions: "webhook",
  overlapSeconds: 60,
  list: updatedList(listing),
  batchRead: readByIds(listing, ORDERS_BY_ID, 20),
  completeChildren: ["refund"],
  strictVersion: () => null,
  normalize: (raw, context) => [
    { model: "order", data: normalizeOrder(raw, context) },
    ...raw.refunds.map((refund) =>
      normalizeRefund({ ...refund, order: raw, shop: raw.shop, denied: raw.denied?.filter(ofCustomer) }, context),
    ),
  ],
});

/** The one denied field of an order that its refunds have too. */
function ofCustomer(denied: { readonly path: string }): boolean {
  return denied.path === "customer";
}

function normalizeOrder(raw: RawOrder, context: NormalizeContext): NormalizedOrder {
  return {
    ...remoteFacts(raw, adminUrl(raw.shop, `/orders/${numericId(raw.id)}`), { testMode: raw.test, fields: DENIABLE }),
    number: String(raw.number),
    name: raw.name,
    confirmationNumber: raw.confirmationNumber,
    poNumber: raw.poNumber,
    status: statusOf(raw),
    cancelReason: wordOrNull(CANCEL_REASONS, raw.cancelReason),
    cancelReasonRemote: raw.cancelReason,
    financialStatus: wordOrNull(FINANCIAL, raw.displayFinancialStatus),
    financialStatusRemote: raw.displayFinancialStatus,
    fulfillmentStatus: wordOrNull(FULFILLMENT, raw.displayFulfillmentStatus),
    fulfillmentStatusRemote: raw.displayFulfillmentStatus,
    returnStatus: wordOrNull(RETURNS, raw.returnStatus),
    returnStatusRemote: raw.returnStatus,
    customerId: raw.customer && context.id("customer", numericId(raw.customer.id)),
    email: raw.email,
    phone: raw.phone,
    locale: raw.customerLocale,
    currency: raw.currencyCode,
    currencyExponent: currencyExponent(raw.currencyCode),
    presentment: presentmentOf(raw),
    subtotalAmount: shopAmountOrNull(raw.subtotalPriceSet),
    discountAmount: shopAmountOrNull(raw.totalDiscountsSet),
    shippingAmount: shopAmount(raw.totalShippingPriceSet),
    taxAmount: shopAmountOrNull(raw.totalTaxSet),
    taxesIncluded: raw.taxesIncluded,
    tipAmount: shopAmount(raw.totalTipReceivedSet),
    dutiesAmount: shopAmountOrNull(raw.originalTotalDutiesSet),
    feesAmount: shopAmountOrNull(raw.originalTotalAdditionalFeesSet),
    totalAmount: shopAmount(raw.totalPriceSet),
    originalTotalAmount: shopAmount(raw.originalTotalPriceSet),
    currentSubtotalAmount: shopAmount(raw.currentSubtotalPriceSet),
    currentDiscountAmount: shopAmount(raw.currentTotalDiscountsSet),
    currentTaxAmount: shopAmount(raw.currentTotalTaxSet),
    currentTotalAmount: shopAmount(raw.currentTotalPriceSet),
    refundedAmount: shopAmount(raw.totalRefundedSet),
    paidAmount: shopAmount(raw.totalReceivedSet),
    netPaidAmount: shopAmount(raw.netPaymentSet),
    outstandingAmount: shopAmount(raw.totalOutstandingSet),
    discountCodes: raw.discountCodes,
    taxLines: raw.taxLines.map(({ title, rate, source, priceSet }) => ({
      title,
      rate,
      amount: shopAmount(priceSet),
      source,
    })),
    shippingLines: raw.shippingLines.nodes.map((line) => ({
      remoteId: line.id && numericId(line.id),
      title: line.title,
      code: line.code,
      carrier: line.carrierIdentifier,
      amount: shopAmount(line.originalPriceSet),
      discountedAmount: shopAmount(line.discountedPriceSet),
    })),
    billingAddress: toAddress(raw.billingAddress, "billing"),
    shippingAddress: toAddress(raw.shippingAddress, "shipping"),
    source: raw.sourceName,
    paymentGateways: raw.paymentGatewayNames,
    tags: raw.tags,
    note: raw.note,
    attributes: attributesOf(raw.customAttributes),
    placedAt: instant(raw.processedAt),
    canceledAt: instantOrNull(raw.cancelledAt),
    closedAt: instantOrNull(raw.closedAt),
    lines: raw.lineItems.nodes.map((line) => normalizeLine(line, context)),
    refundIds: raw.refunds.map((refund) => context.id("refund", numericId(refund.id))),
  };
}

function statusOf(raw: RawOrder): OrderStatus {
  if (raw.cancelledAt !== null) return "canceled";
  return raw.closed ? "closed" : "open";
}

function presentmentOf(raw: RawOrder): OrderPresentment | null {
  if (raw.presentmentCurrencyCode === raw.currencyCode) return null;
  const amount = (bag: z.output<typeof BothMoney>) => minorUnits(bag.presentmentMoney);
  return {
    currency: raw.presentmentCurrencyCode,
    currencyExponent: currencyExponent(raw.presentmentCurrencyCode),
    subtotalAmount: raw.subtotalPriceSet && amount(raw.subtotalPriceSet),
    discountAmount: raw.totalDiscountsSet && amount(raw.totalDiscountsSet),
    shippingAmount: amount(raw.totalShippingPriceSet),
    taxAmount: raw.totalTaxSet && amount(raw.totalTaxSet),
    totalAmount: amount(raw.totalPriceSet),
    currentTotalAmount: amount(raw.currentTotalPriceSet),
    refundedAmount: amount(raw.totalRefundedSet),
  };
}
