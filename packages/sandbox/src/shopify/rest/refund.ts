import type { Json } from "../json.ts";
import type { Bag, Catalog, Order, Refund, Transaction } from "../model.ts";
import { isZero, toDecimal, ZERO } from "../money.ts";
import { lineBody } from "./line.ts";
import { gid, moneySet, restTime } from "./parts.ts";

/** The body of `refunds/create`. */
export function refundBody(catalog: Catalog, order: Order, refund: Refund): Json {
  return {
    id: refund.id,
    order_id: order.id,
    created_at: restTime(refund.createdAt),
    note: refund.note,
    user_id: catalog.profile.id,
    processed_at: restTime(refund.createdAt),
    duties: [],
    total_duties_set: moneySet(order, ZERO),
    return: null,
    refund_shipping_lines: refundShipping(order, refund),
    restock: refund.lines.some((line) => line.restockType !== "NO_RESTOCK"),
    admin_graphql_api_id: gid("Refund", refund.id),
    order_adjustments: refund.adjustment ? [adjustment(order, refund, refund.adjustment)] : [],
    refund_line_items: refund.lines.flatMap((refunded) => {
      const line = order.lines.find((candidate) => candidate.id === refunded.lineItemId);
      if (!line) return [];
      return [
        {
          id: refunded.id,
          quantity: refunded.quantity,
          line_item_id: refunded.lineItemId,
          location_id: refunded.locationId,
          restock_type: refunded.restockType.toLowerCase(),
          subtotal: Number(toDecimal(refunded.subtotal.shop, order.currency)),
          total_tax: Number(toDecimal(refunded.tax.shop, order.currency)),
          subtotal_set: moneySet(order, refunded.subtotal),
          total_tax_set: moneySet(order, refunded.tax),
          line_item: lineBody(order, line),
        },
      ];
    }),
    transactions: order.transactions
      .filter((transaction) => refund.transactionIds.includes(transaction.id))
      .map((transaction) => transactionBody(order, transaction)),
  };
}

/** The body of `order_transactions/create`. REST gives the amount in the currency the buyer paid in. */
export function transactionBody(order: Order, transaction: Transaction): Json {
  const unsettled = { amount: "0.0", currency: order.currency };
  return {
    id: transaction.id,
    order_id: order.id,
    kind: transaction.kind.toLowerCase(),
    gateway: transaction.gateway,
    status: transaction.status.toLowerCase(),
    message: null,
    created_at: restTime(transaction.createdAt),
    test: order.test,
    authorization: null,
    location_id: null,
    user_id: null,
    parent_id: transaction.parentId,
    processed_at: restTime(transaction.createdAt),
    device_id: null,
    error_code: null,
    source_name: order.sourceName,
    receipt: {},
    amount: toDecimal(transaction.amount.presentment, order.presentmentCurrency),
    currency: order.presentmentCurrency,
    payment_id: paymentId(order, transaction),
    total_unsettled_set: { presentment_money: unsettled, shop_money: unsettled },
    manual_payment_gateway: transaction.gateway !== "shopify_payments",
    amount_rounding: null,
    admin_graphql_api_id: gid("OrderTransaction", transaction.id),
  };
}

export function paymentId(order: Order, transaction: Transaction): string {
  return `#${order.number}.${order.transactions.indexOf(transaction) + 1}`;
}

function adjustment(order: Order, refund: Refund, difference: { readonly id: bigint; readonly amount: Bag }): Json {
  return {
    id: difference.id,
    order_id: order.id,
    refund_id: refund.id,
    amount: toDecimal(difference.amount.shop, order.currency),
    tax_amount: toDecimal(0, order.currency),
    kind: "refund_discrepancy",
    reason: "Refund discrepancy",
    amount_set: moneySet(order, difference.amount),
    tax_amount_set: moneySet(order, ZERO),
  };
}

function refundShipping(order: Order, refund: Refund): Json {
  if (!order.shipping || isZero(refund.shipping)) return [];
  return [
    {
      id: refund.id + 1n,
      shipping_line: { id: order.shipping.id, title: order.shipping.title, code: order.shipping.title },
      subtotal_amount_set: moneySet(order, refund.shipping),
      tax_amount_set: moneySet(order, ZERO),
    },
  ];
}
