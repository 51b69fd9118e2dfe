import type { Order, Refund, RefundLine, Transaction } from "../../model.ts";
import { add, ZERO } from "../../money.ts";
import { paymentId } from "../../rest/refund.ts";
import { paginate, paginateInOrder, type PageArgs } from "../connections.ts";
import type { Ctx } from "../context.ts";
import { locationView } from "./inventory.ts";
import { lineItemView } from "./line-item.ts";
import { gid, moneyBag, time } from "./parts.ts";

export function refundView(ctx: Ctx, order: Order, refund: Refund) {
  const transactions = order.transactions.filter((transaction) => refund.transactionIds.includes(transaction.id));
  const adjustments = refund.adjustment ? [refund.adjustment] : [];
  return {
    __typename: "Refund",
    id: gid("Refund", refund.id),
    legacyResourceId: refund.id.toString(),
    note: refund.note,
    order: () => ctx.views.order(ctx, order),
    totalRefundedSet: moneyBag(order, add(...transactions.map((transaction) => transaction.amount))),
    refundLineItems: (args: PageArgs) =>
      paginateInOrder(ctx, refund.lines, args, (line) => refundLineView(ctx, order, line)),
    transactions: (args: PageArgs) => paginateInOrder(ctx, transactions, args, (t) => transactionView(ctx, order, t)),
    orderAdjustments: (args: PageArgs) =>
      paginate(ctx, adjustments, args, {
        positionOf: (adjustment) => ({ value: 0, id: adjustment.id }),
        view: (adjustment) => ({
          __typename: "OrderAdjustment",
          id: gid("OrderAdjustment", adjustment.id),
          reason: "REFUND_DISCREPANCY",
          amountSet: moneyBag(order, adjustment.amount),
          taxAmountSet: moneyBag(order, ZERO),
        }),
      }),
    createdAt: time(refund.createdAt),
    updatedAt: time(refund.createdAt),
    processedAt: time(refund.createdAt),
  };
}

export function transactionView(ctx: Ctx, order: Order, transaction: Transaction): unknown {
  const parent = order.transactions.find((candidate) => candidate.id === transaction.parentId);
  return {
    __typename: "OrderTransaction",
    id: gid("OrderTransaction", transaction.id),
    kind: transaction.kind,
    status: transaction.status,
    gateway: transaction.gateway,
    formattedGateway: transaction.gateway === "shopify_payments" ? "Shopify Payments" : transaction.gateway,
    test: order.test,
    paymentId: paymentId(order, transaction),
    accountNumber: null,
    errorCode: null,
    authorizationExpiresAt: null,
    amountSet: moneyBag(order, transaction.amount),
    amountRoundingSet: null,
    totalUnsettledSet: moneyBag(order, ZERO),
    maximumRefundableV2: null,
    manualPaymentGateway: transaction.gateway !== "shopify_payments",
    manuallyCapturable: transaction.kind === "AUTHORIZATION",
    multiCapturable: false,
    receiptJson: null,
    settlementCurrency: order.currency,
    settlementCurrencyRate: null,
    location: null,
    order: () => ctx.views.order(ctx, order),
    parentTransaction: () => (parent ? transactionView(ctx, order, parent) : null),
    createdAt: time(transaction.createdAt),
    processedAt: time(transaction.createdAt),
  };
}

function refundLineView(ctx: Ctx, order: Order, refunded: RefundLine) {
  const line = order.lines.find((candidate) => candidate.id === refunded.lineItemId);
  const location = refunded.locationId === null ? undefined : ctx.shop.catalog.locations.get(refunded.locationId);
  return {
    id: gid("RefundLineItem", refunded.id),
    quantity: refunded.quantity,
    restockType: refunded.restockType,
    restocked: refunded.restockType !== "NO_RESTOCK",
    lineItem: () => (line ? lineItemView(ctx, order, line) : null),
    location: () => (location ? locationView(ctx, location) : null),
    priceSet: moneyBag(order, line?.unit ?? ZERO),
    subtotalSet: moneyBag(order, refunded.subtotal),
    totalTaxSet: moneyBag(order, refunded.tax),
  };
}
