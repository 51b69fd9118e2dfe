import type { Bag, Catalog, LineItem, Order } from "./model.ts";
import { add, scale, subtract, ZERO } from "./money.ts";

/** Sums of an order: as created, after edits (`total`), and after edits, refunds and cancellation (`current`). */
export interface Totals {
  readonly original: Sums;
  readonly total: Sums;
  readonly current: Sums;
  readonly shipping: Bag;
  readonly refundedShipping: Bag;
  readonly received: Bag;
  readonly refunded: Bag;
  readonly authorized: Bag;
  readonly outstanding: Bag;
}

export interface Sums {
  readonly subtotal: Bag;
  readonly discounts: Bag;
  readonly tax: Bag;
  readonly total: Bag;
}

export function totalsOf(order: Order): Totals {
  const shipping = order.shipping?.price ?? ZERO;
  const original = sumLines(order, shipping, (line) => (line.addedByEdit ? 0 : line.quantity));
  const total = sumLines(order, shipping, (line) => line.quantity - line.removedByEdit);
  const refundLines = order.refunds.flatMap((refund) => refund.lines);
  const refundedShipping = add(...order.refunds.map((refund) => refund.shipping));
  const adjustments = add(...order.refunds.map((refund) => refund.adjustment?.amount ?? ZERO));
  const subtotal = subtract(total.subtotal, add(...refundLines.map((line) => line.subtotal)));
  const tax = subtract(total.tax, add(...refundLines.map((line) => line.tax)));
  const taxOnTop = order.taxesIncluded ? ZERO : tax;
  const current = {
    subtotal,
    tax,
    discounts: add(...order.lines.map((line) => shareOfDiscount(line, currentQuantity(order, line)))),
    total: add(subtotal, taxOnTop, subtract(shipping, refundedShipping), adjustments),
  };
  const received = sumTransactions(order, ["SALE", "CAPTURE"]);
  const refunded = sumTransactions(order, ["REFUND"]);
  const authorized = sumTransactions(order, ["AUTHORIZATION"]);
  const outstanding = subtract(current.total, subtract(received, refunded));
  return { original, total, current, shipping, refundedShipping, received, refunded, authorized, outstanding };
}

/** Value of `quantity` units of a line after discounts; includes tax when the order's prices do. */
export function lineSubtotal(line: LineItem, quantity: number): Bag {
  return subtract(scale(line.unit, quantity), shareOfDiscount(line, quantity));
}

export function lineTax(order: Order, line: LineItem, quantity: number): Bag {
  if (!line.taxable || line.isGiftCard || quantity === 0) return ZERO;
  const subtotal = lineSubtotal(line, quantity);
  const { rate } = order.tax;
  return scale(subtotal, order.taxesIncluded ? rate / (1 + rate) : rate);
}

export function refundedQuantity(order: Order, line: LineItem): number {
  const lines = order.refunds.flatMap((refund) => refund.lines).filter((refund) => refund.lineItemId === line.id);
  return lines.reduce((sum, refund) => sum + refund.quantity, 0);
}

export function currentQuantity(order: Order, line: LineItem): number {
  return line.quantity - line.removedByEdit - refundedQuantity(order, line);
}

export function fulfilledQuantity(order: Order, line: LineItem): number {
  const lines = order.fulfillments.filter((f) => f.status === "SUCCESS").flatMap((f) => f.lines);
  return lines.filter((f) => f.lineItemId === line.id).reduce((sum, f) => sum + f.quantity, 0);
}

export function unfulfilledQuantity(order: Order, line: LineItem): number {
  return Math.max(0, currentQuantity(order, line) - fulfilledQuantity(order, line));
}

export function shareOfDiscount(line: LineItem, quantity: number): Bag {
  return line.quantity === 0 ? ZERO : scale(line.discount, quantity / line.quantity);
}

export type FinancialStatus =
  | "AUTHORIZED"
  | "PAID"
  | "PARTIALLY_PAID"
  | "PARTIALLY_REFUNDED"
  | "PENDING"
  | "REFUNDED"
  | "VOIDED";

export function financialStatus(order: Order): FinancialStatus {
  const { received, refunded, authorized, total } = totalsOf(order);
  if (received.shop === 0 && order.cancelledAt) return "VOIDED";
  if (received.shop === 0 && total.total.shop === 0) return "PAID";
  if (received.shop === 0) return authorized.shop > 0 ? "AUTHORIZED" : "PENDING";
  if (refunded.shop >= received.shop) return "REFUNDED";
  if (refunded.shop > 0) return "PARTIALLY_REFUNDED";
  return received.shop < total.total.shop ? "PARTIALLY_PAID" : "PAID";
}

export function fulfillmentStatus(order: Order): "FULFILLED" | "PARTIALLY_FULFILLED" | "UNFULFILLED" {
  const fulfilled = order.lines.reduce((sum, line) => sum + fulfilledQuantity(order, line), 0);
  if (fulfilled === 0) return "UNFULFILLED";
  const open = order.lines.reduce((sum, line) => sum + unfulfilledQuantity(order, line), 0);
  return open === 0 ? "FULFILLED" : "PARTIALLY_FULFILLED";
}

/** What a customer ordered and spent, in minor units of the shop's currency. */
export function customerHistory(catalog: Catalog, customerId: bigint): { orders: Order[]; spent: number } {
  const orders = [...catalog.orders.values()].filter((order) => order.customerId === customerId);
  const spent = orders
    .filter((order) => !order.test)
    .reduce((sum, order) => {
      const { received, refunded } = totalsOf(order);
      return sum + received.shop - refunded.shop;
    }, 0);
  return { orders, spent };
}

function sumLines(order: Order, shipping: Bag, quantityOf: (line: LineItem) => number): Sums {
  const subtotal = add(...order.lines.map((line) => lineSubtotal(line, quantityOf(line))));
  const discounts = add(...order.lines.map((line) => shareOfDiscount(line, quantityOf(line))));
  const tax = add(...order.lines.map((line) => lineTax(order, line, quantityOf(line))));
  return { subtotal, discounts, tax, total: add(subtotal, shipping, order.taxesIncluded ? ZERO : tax) };
}

function sumTransactions(order: Order, kinds: readonly string[]): Bag {
  const counted = order.transactions.filter((t) => t.status === "SUCCESS" && kinds.includes(t.kind));
  return add(...counted.map((t) => t.amount));
}
