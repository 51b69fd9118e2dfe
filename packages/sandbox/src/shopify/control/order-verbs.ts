import { createCustomer } from "../actions/change-customer.ts";
import { cancelOrder, fulfillOrder, updateOrder } from "../actions/change-order.ts";
import { inOrderCurrencies, refundOrder, wholeRefund } from "../actions/refund-order.ts";
import { liveStore, type Services } from "../http/env.ts";
import type { Customer, Order, RestockType } from "../model.ts";
import { toDecimal, ZERO } from "../money.ts";
import { anyLine, randomOrder } from "../seed/orders.ts";
import { pick, Refused } from "../store.ts";
import { currentQuantity, financialStatus, totalsOf } from "../totals.ts";
import type { ShopState } from "../world.ts";
import { minor, type Outcome } from "./outcome.ts";

export function placeOrder(
  services: Services,
  shop: ShopState,
  input: { amount?: string | undefined; customer: string; currency?: string | undefined },
): Outcome {
  const store = liveStore(services, shop);
  const { currency } = shop.catalog.profile;
  const customer = customerFor(services, shop, input.customer);
  const amount = input.amount === undefined ? null : minor(input.amount, currency);
  const lines =
    amount === null
      ? {}
      : {
          lines: [{ ...anyLine(store), quantity: 1, unitPrice: amount, taxable: false }],
          shipping: 0,
          presentmentCurrency: currency,
        };
  const order = randomOrder(store, {
    ...lines,
    ...(customer === undefined ? {} : { customer, email: customer ? customer.email : "guest@visitor.example" }),
    ...(input.currency === undefined ? {} : { presentmentCurrency: input.currency }),
  });
  return { message: `Order #${order.number} placed: ${totalOf(order)}.`, ...describe(order) };
}

export function refund(
  services: Services,
  shop: ShopState,
  input: {
    orderId?: bigint | undefined;
    amount?: string | undefined;
    lines?: "all" | "none" | "one" | undefined;
    restock?: boolean | undefined;
  },
): Outcome {
  const order = orderFor(shop, input.orderId, isRefundable);
  const restockType: RestockType = input.restock ? "RETURN" : "NO_RESTOCK";
  const amount = input.amount === undefined ? null : inOrderCurrencies(order, minor(input.amount, order.currency));
  const kind = input.lines ?? (amount === null ? "all" : "none");
  const request =
    kind === "all"
      ? wholeRefund(order, restockType, "Refunded on the control page")
      : {
          lines: kind === "one" ? oneUnit(order, restockType) : [],
          shipping: ZERO,
          amount,
          note: "Refunded on the control page",
        };
  const made = refundOrder(liveStore(services, shop), order, amount === null ? request : { ...request, amount });
  const paid = order.transactions
    .filter((t) => made.transactionIds.includes(t.id))
    .reduce((sum, t) => sum + t.amount.shop, 0);
  return {
    message: `Refunded ${toDecimal(paid, order.currency)} ${order.currency} of order #${order.number}.`,
    ...describe(order),
    refundId: made.id.toString(),
    refunded: toDecimal(paid, order.currency),
  };
}

export function updateNote(
  services: Services,
  shop: ShopState,
  input: { orderId?: bigint | undefined; note: string },
): Outcome {
  const order = orderFor(shop, input.orderId, () => true);
  updateOrder(liveStore(services, shop), order, { note: input.note });
  return { message: `Note of order #${order.number} changed.`, ...describe(order) };
}

export function cancel(services: Services, shop: ShopState, input: { orderId?: bigint | undefined }): Outcome {
  const order = orderFor(shop, input.orderId, (candidate) => candidate.cancelledAt === null);
  cancelOrder(liveStore(services, shop), order, { reason: "CUSTOMER", refund: true, restock: true });
  return { message: `Order #${order.number} cancelled.`, ...describe(order) };
}

export function fulfill(services: Services, shop: ShopState, input: { orderId?: bigint | undefined }): Outcome {
  const order = orderFor(
    shop,
    input.orderId,
    (candidate) => candidate.fulfillments.length === 0 && candidate.cancelledAt === null,
  );
  fulfillOrder(liveStore(services, shop), order, { delivered: false });
  return { message: `Order #${order.number} shipped.`, ...describe(order) };
}

function orderFor(shop: ShopState, orderId: bigint | undefined, fits: (order: Order) => boolean): Order {
  if (orderId !== undefined) {
    const order = shop.catalog.orders.get(orderId);
    if (!order) throw new Refused("This store has no such order.");
    return order;
  }
  const newest = [...shop.catalog.orders.values()]
    .filter(fits)
    .toSorted((a, b) => b.createdAt.getTime() - a.createdAt.getTime() || b.number - a.number)[0];
  if (!newest) throw new Refused("No order of this store fits.");
  return newest;
}

function isRefundable(order: Order): boolean {
  const { received, refunded } = totalsOf(order);
  return received.shop > refunded.shop;
}

function customerFor(services: Services, shop: ShopState, kind: string): Customer | null | undefined {
  if (kind === "guest") return null;
  const customers = [...shop.catalog.customers.values()];
  if (kind === "known") return pick(services.world.dice, customers);
  if (kind !== "new") return undefined;
  const number = customers.length + 1;
  return createCustomer(liveStore(services, shop), {
    firstName: "New",
    lastName: `Shopper ${number}`,
    email: `new.shopper${number}@shopper.example`,
  });
}

function oneUnit(order: Order, restockType: RestockType) {
  const line = order.lines.find((candidate) => currentQuantity(order, candidate) > 0);
  return line ? [{ lineItemId: line.id, quantity: 1, restockType, locationId: order.locationId }] : [];
}

function totalOf(order: Order): string {
  return `${toDecimal(totalsOf(order).total.total.shop, order.currency)} ${order.currency}`;
}

function describe(order: Order) {
  const totals = totalsOf(order);
  return {
    orderId: order.id.toString(),
    gid: `gid://shopify/Order/${order.id}`,
    name: `#${order.number}`,
    currency: order.currency,
    total: toDecimal(totals.total.total.shop, order.currency),
    currentTotal: toDecimal(totals.current.total.shop, order.currency),
    totalRefunded: toDecimal(totals.refunded.shop, order.currency),
    financialStatus: financialStatus(order),
    customerId: order.customerId?.toString() ?? null,
    updatedAt: order.updatedAt.toISOString(),
  };
}
