import type { Bag, LineItem, Order, Refund, RefundLine, RestockType } from "../model.ts";
import { add, isZero, scale, subtract, ZERO } from "../money.ts";
import { orderBody } from "../rest/order.ts";
import { refundBody, transactionBody } from "../rest/refund.ts";
import { newId, Refused, type Store } from "../store.ts";
import { currentQuantity, lineSubtotal, lineTax, refundedQuantity, totalsOf } from "../totals.ts";
import { restock } from "./stock.ts";

export interface RefundOrderInput {
  readonly lines: readonly {
    readonly lineItemId: bigint;
    readonly quantity: number;
    readonly restockType: RestockType;
    readonly locationId: bigint | null;
  }[];
  /** Shipping given back. */
  readonly shipping: Bag;
  /** Money paid back; null: what the lines and the shipping are worth, as far as it was received. */
  readonly amount: Bag | null;
  readonly note: string | null;
}

/** Refunds lines, shipping, or a bare amount of an order. Never pays back more than was received. */
export function refundOrder(store: Store, order: Order, input: RefundOrderInput): Refund {
  const totals = totalsOf(order);
  const refundable = subtract(totals.received, totals.refunded);
  const lines = input.lines.map((line) => newRefundLine(store, order, line));
  const worth = add(
    ...lines.map((line) => line.subtotal),
    order.taxesIncluded ? ZERO : add(...lines.map((l) => l.tax)),
    input.shipping,
  );
  const amount = input.amount ?? lesser(worth, refundable);
  if (amount.shop < 0 || amount.presentment < 0) throw new Refused("The amount must not be negative.");
  if (amount.shop > refundable.shop || amount.presentment > refundable.presentment) {
    throw new Refused("Refund amount exceeds what was received for this order.");
  }
  if (isZero(amount) && lines.length === 0) throw new Refused("There is nothing to refund.");
  const discrepancy = isZero(totals.received) || isZero(amount) ? ZERO : subtract(worth, amount);
  const refund: Refund = {
    id: newId(store),
    note: input.note,
    createdAt: store.now(),
    lines,
    shipping: input.shipping,
    adjustment: isZero(discrepancy) ? null : { id: newId(store), amount: discrepancy },
    transactionIds: isZero(amount) ? [] : [payBack(store, order, amount)],
  };
  order.refunds.push(refund);
  order.updatedAt = store.now();
  putBack(store, order, refund);
  announce(store, order, refund);
  return refund;
}

/** All that is left of the order: every line, the shipping, every cent. */
export function wholeRefund(order: Order, restockType: RestockType, note: string | null): RefundOrderInput {
  const totals = totalsOf(order);
  const lines = order.lines
    .map((line) => ({
      lineItemId: line.id,
      quantity: currentQuantity(order, line),
      restockType,
      locationId: order.locationId,
    }))
    .filter((line) => line.quantity > 0);
  return {
    lines,
    shipping: subtract(totals.shipping, totals.refundedShipping),
    amount: subtract(totals.received, totals.refunded),
    note,
  };
}

/** Scales an amount of the shop's currency by the rate this order was paid at. */
export function inOrderCurrencies(order: Order, shopMinor: number): Bag {
  const { received } = totalsOf(order);
  if (order.currency === order.presentmentCurrency) return { shop: shopMinor, presentment: shopMinor };
  if (received.shop === 0) return { shop: shopMinor, presentment: 0 };
  return { shop: shopMinor, presentment: scale(received, shopMinor / received.shop).presentment };
}

function newRefundLine(store: Store, order: Order, input: RefundOrderInput["lines"][0]): RefundLine {
  const line = order.lines.find((candidate) => candidate.id === input.lineItemId);
  if (!line) throw new Refused("The line item is not part of this order.");
  if (input.quantity < 1 || input.quantity > currentQuantity(order, line)) {
    throw new Refused("Quantity cannot refund more items than were purchased.");
  }
  const before = refundedQuantity(order, line);
  return {
    id: newId(store),
    lineItemId: line.id,
    quantity: input.quantity,
    restockType: input.restockType,
    locationId: input.restockType === "NO_RESTOCK" ? null : (input.locationId ?? order.locationId),
    subtotal: stepOf((quantity) => lineSubtotal(line, quantity), before, line, input.quantity),
    tax: stepOf((quantity) => lineTax(order, line, quantity), before, line, input.quantity),
  };
}

/** Difference of two running sums, so that refunding a line unit by unit adds up to the whole line exactly. */
function stepOf(valueOf: (quantity: number) => Bag, before: number, line: LineItem, quantity: number): Bag {
  const bought = line.quantity - line.removedByEdit;
  return subtract(valueOf(bought - before), valueOf(bought - before - quantity));
}

function payBack(store: Store, order: Order, amount: Bag): bigint {
  const parent = order.transactions.find((t) => t.status === "SUCCESS" && (t.kind === "SALE" || t.kind === "CAPTURE"));
  const id = newId(store);
  order.transactions.push({
    id,
    kind: "REFUND",
    status: "SUCCESS",
    gateway: order.gateway,
    amount,
    parentId: parent?.id ?? null,
    createdAt: store.now(),
  });
  return id;
}

function putBack(store: Store, order: Order, refund: Refund): void {
  for (const refunded of refund.lines) {
    const line = order.lines.find((candidate) => candidate.id === refunded.lineItemId);
    if (line && refunded.locationId !== null) restock(store, refunded.locationId, line, refunded.quantity);
  }
}

function announce(store: Store, order: Order, refund: Refund): void {
  store.emit("refunds/create", () => refundBody(store.catalog, order, refund));
  for (const transaction of order.transactions.filter((t) => refund.transactionIds.includes(t.id))) {
    store.emit("order_transactions/create", () => transactionBody(order, transaction));
  }
  store.emit("orders/updated", () => orderBody(store.catalog, order));
}

function lesser(a: Bag, b: Bag): Bag {
  return { shop: Math.min(a.shop, b.shop), presentment: Math.min(a.presentment, b.presentment) };
}
