import type { Order } from "../../model.ts";
import { add, isZero, scale, subtract, ZERO } from "../../money.ts";
import { statusUrl } from "../../rest/order.ts";
import { currentQuantity, financialStatus, fulfillmentStatus, totalsOf, unfulfilledQuantity } from "../../totals.ts";
import { paginateInOrder, type PageArgs } from "../connections.ts";
import type { Ctx } from "../context.ts";
import { customerView } from "./customer.ts";
import { fulfillmentOrderView, fulfillmentView } from "./fulfillment.ts";
import { lineItemView, taxLineViews } from "./line-item.ts";
import { addressView, count, gid, moneyBag, time } from "./parts.ts";
import { refundView, transactionView } from "./refund.ts";

interface FirstArgs {
  readonly first?: number | null;
}

export function orderView(ctx: Ctx, order: Order) {
  return { ...facts(ctx, order), ...amounts(order), ...parts(ctx, order) };
}

function facts(ctx: Ctx, order: Order) {
  const financial = financialStatus(order);
  const { received, refunded, outstanding } = totalsOf(order);
  const weight = order.lines.reduce((sum, line) => sum + line.grams * line.quantity, 0);
  const currentWeight = order.lines.reduce((sum, line) => sum + line.grams * currentQuantity(order, line), 0);
  const open = order.lines.some((line) => unfulfilledQuantity(order, line) > 0);
  return {
    __typename: "Order",
    id: gid("Order", order.id),
    legacyResourceId: order.id.toString(),
    name: `#${order.number}`,
    number: order.number,
    confirmationNumber: order.confirmationNumber,
    confirmed: true,
    email: order.email,
    phone: order.phone,
    note: order.note,
    tags: [...order.tags].sort(),
    poNumber: order.poNumber,
    test: order.test,
    edited: order.edited,
    closed: order.closedAt !== null,
    cancelReason: order.cancelReason,
    canMarkAsPaid: financial === "PENDING" || financial === "AUTHORIZED",
    canNotifyCustomer: order.email !== null,
    capturable: financial === "AUTHORIZED",
    fullyPaid: outstanding.shop <= 0,
    unpaid: isZero(received),
    refundable: received.shop > refunded.shop,
    restockable: order.lines.some((line) => currentQuantity(order, line) > 0),
    fulfillable: open && order.cancelledAt === null,
    merchantEditable: order.cancelledAt === null,
    merchantEditableErrors: order.cancelledAt === null ? [] : ["This order is canceled."],
    billingAddressMatchesShippingAddress: order.billingAddress?.id === order.shippingAddress?.id,
    displayFinancialStatus: financial,
    displayFulfillmentStatus: fulfillmentStatus(order),
    returnStatus: "NO_RETURN",
    currencyCode: order.currency,
    presentmentCurrencyCode: order.presentmentCurrency,
    taxesIncluded: order.taxesIncluded,
    taxExempt: false,
    estimatedTaxes: false,
    dutiesIncluded: false,
    productNetwork: false,
    hasTimelineComment: false,
    requiresShipping: order.shipping !== null,
    customerAcceptsMarketing: false,
    customerLocale: ctx.shop.catalog.profile.countryCode === "FR" ? "fr-FR" : "en-US",
    sourceName: order.sourceName,
    sourceIdentifier: null,
    registeredSourceUrl: null,
    cartToken: null,
    checkoutToken: null,
    clientIp: null,
    retailLocation: null,
    discountCode: order.discountCode,
    discountCodes: order.discountCode === null ? [] : [order.discountCode],
    paymentGatewayNames: [order.gateway],
    statusPageUrl: () => statusUrl(ctx.shop.catalog, order),
    customAttributes: order.customAttributes,
    currentTotalWeight: String(currentWeight),
    totalWeight: String(weight),
    subtotalLineItemsQuantity: order.lines.reduce((sum, line) => sum + line.quantity - line.removedByEdit, 0),
    currentSubtotalLineItemsQuantity: order.lines.reduce((sum, line) => sum + currentQuantity(order, line), 0),
    createdAt: time(order.createdAt),
    updatedAt: time(order.updatedAt),
    processedAt: time(order.createdAt),
    closedAt: time(order.closedAt),
    cancelledAt: time(order.cancelledAt),
  };
}

function amounts(order: Order) {
  const totals = totalsOf(order);
  const bag = (value: Parameters<typeof moneyBag>[1]) => moneyBag(order, value);
  const adjustments = add(...order.refunds.map((refund) => refund.adjustment?.amount ?? ZERO));
  const capturable = financialStatus(order) === "AUTHORIZED" ? totals.authorized : ZERO;
  return {
    originalTotalPriceSet: bag(totals.original.total),
    originalTotalDutiesSet: null,
    originalTotalAdditionalFeesSet: null,
    subtotalPriceSet: bag(totals.total.subtotal),
    totalDiscountsSet: bag(totals.total.discounts),
    totalShippingPriceSet: bag(totals.shipping),
    totalTaxSet: bag(totals.total.tax),
    totalPriceSet: bag(totals.total.total),
    totalTipReceivedSet: bag(ZERO),
    cartDiscountAmountSet: bag(totals.original.discounts),
    currentCartDiscountAmountSet: bag(totals.current.discounts),
    currentSubtotalPriceSet: bag(totals.current.subtotal),
    currentTotalDiscountsSet: bag(totals.current.discounts),
    currentTotalTaxSet: bag(totals.current.tax),
    currentTotalPriceSet: bag(totals.current.total),
    currentTotalDutiesSet: null,
    currentTotalAdditionalFeesSet: null,
    currentShippingPriceSet: bag(subtract(totals.shipping, totals.refundedShipping)),
    totalReceivedSet: bag(totals.received),
    totalRefundedSet: bag(totals.refunded),
    totalRefundedShippingSet: bag(totals.refundedShipping),
    totalOutstandingSet: bag(totals.outstanding),
    totalCapturableSet: bag(capturable),
    netPaymentSet: bag(subtract(totals.received, totals.refunded)),
    refundDiscrepancySet: bag(scale(adjustments, 1)),
    taxLines: () => taxLineViews(order, totals.total.tax),
    currentTaxLines: () => taxLineViews(order, totals.current.tax),
  };
}

function parts(ctx: Ctx, order: Order) {
  const { customers } = ctx.shop.catalog;
  const customer = order.customerId === null ? undefined : customers.get(order.customerId);
  const shippingLines = order.shipping ? [order.shipping] : [];
  return {
    customer: () => (customer ? customerView(ctx, customer) : null),
    billingAddress: () => addressView(order.billingAddress),
    shippingAddress: () => addressView(order.shippingAddress),
    displayAddress: () => addressView(order.shippingAddress ?? order.billingAddress),
    lineItems: (args: PageArgs) => paginateInOrder(ctx, order.lines, args, (line) => lineItemView(ctx, order, line)),
    shippingLine: () => (order.shipping ? shippingLineView(order, order.shipping) : null),
    shippingLines: (args: PageArgs) =>
      paginateInOrder(ctx, shippingLines, args, (line) => shippingLineView(order, line)),
    transactions: (args: FirstArgs) => upTo(order.transactions, args).map((t) => transactionView(ctx, order, t)),
    transactionsCount: count(order.transactions.length, null),
    fulfillments: (args: FirstArgs) => upTo(order.fulfillments, args).map((f) => fulfillmentView(ctx, order, f)),
    fulfillmentsCount: count(order.fulfillments.length, null),
    fulfillmentOrders: (args: PageArgs) =>
      paginateInOrder(ctx, [{ id: order.fulfillmentOrderId }], args, () => fulfillmentOrderView(ctx, order)),
    refunds: (args: FirstArgs) => upTo(order.refunds, args).map((refund) => refundView(ctx, order, refund)),
  };
}

function shippingLineView(order: Order, line: NonNullable<Order["shipping"]>) {
  const { refundedShipping } = totalsOf(order);
  return {
    id: gid("ShippingLine", line.id),
    title: line.title,
    code: line.title,
    source: "shopify",
    carrierIdentifier: null,
    custom: false,
    deliveryCategory: null,
    isRemoved: false,
    phone: null,
    shippingRateHandle: null,
    originalPriceSet: moneyBag(order, line.price),
    discountedPriceSet: moneyBag(order, line.price),
    currentDiscountedPriceSet: moneyBag(order, subtract(line.price, refundedShipping)),
    discountAllocations: [],
    taxLines: [],
  };
}

function upTo<T>(items: readonly T[], args: FirstArgs): readonly T[] {
  return typeof args.first === "number" ? items.slice(0, args.first) : items;
}
