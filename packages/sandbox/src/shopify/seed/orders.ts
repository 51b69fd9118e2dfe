import { cancelOrder, editOrder, fulfillOrder } from "../actions/change-order.ts";
import { capture, type OrderLineInput, placeOrder, type PlaceOrderInput } from "../actions/place-order.ts";
import { inOrderCurrencies, refundOrder, wholeRefund } from "../actions/refund-order.ts";
import type { Customer, Order } from "../model.ts";
import { ZERO } from "../money.ts";
import { between, pick, type Store } from "../store.ts";
import { totalsOf } from "../totals.ts";

/** Moves the seed's clock. */
export type At = (daysBeforeNewest: number) => void;

const OLD_SHARE = 0.13;

/**
 * The cases that break importers, and ordinary orders until there are `count`. They are placed in the order of their
 * days, so that numbers and ids grow with time as in a real store.
 */
export function seedOrders(store: Store, at: At, count: number): void {
  const hard = HARD_CASES.map((place, index) => ({ days: 30 - index, place }));
  const ordinary = Array.from({ length: Math.max(0, count - store.catalog.orders.size - hard.length) }, () => ({
    days: ordinaryDay(store),
    place: ordinaryOrder,
  }));
  for (const { days, place } of [...hard, ...ordinary].toSorted((a, b) => b.days - a.days)) {
    at(days);
    place(store, at, days);
  }
}

function ordinaryDay(store: Store): number {
  return store.dice.next() < OLD_SHARE ? 61 + store.dice.next() * 340 : store.dice.next() * 57 + 0.5;
}

/** What the control page's "Place an order" places when nothing is asked for. */
export function randomOrder(store: Store, changes: Partial<PlaceOrderInput> = {}): Order {
  const customer = store.dice.next() < 0.85 ? anyCustomer(store) : null;
  return placeOrder(store, {
    customer,
    email: customer ? null : `guest${between(store.dice, 100, 999)}@visitor.example`,
    lines: Array.from({ length: between(store.dice, 1, 3) }, () => anyLine(store)),
    presentmentCurrency: anyCurrency(store),
    shipping: pick(store.dice, [0, 495, 795, 1290]),
    ...changes,
  });
}

export function anyLine(store: Store): OrderLineInput {
  const sold = [...store.catalog.products.values()].filter(
    (product) => product.status === "ACTIVE" && !product.isGiftCard,
  );
  const product = pick(store.dice, sold);
  return { product, variant: pick(store.dice, product.variants), quantity: between(store.dice, 1, 3) };
}

type HardCase = (store: Store, at: At, days: number) => void;

const HARD_CASES: readonly HardCase[] = [
  function partialRefund(store, at, days) {
    const order = randomOrder(store, {
      lines: [{ ...anyLine(store), quantity: 3 }],
      note: "Seed: partial refund",
      customer: anyCustomer(store),
    });
    at(days - 2);
    const [line] = order.lines;
    if (!line) return;
    const lines = [{ lineItemId: line.id, quantity: 1, restockType: "RETURN" as const, locationId: order.locationId }];
    refundOrder(store, order, { lines, shipping: ZERO, amount: null, note: "One arrived chipped" });
  },
  function amountOnlyRefund(store, at, days) {
    const order = randomOrder(store, { note: "Seed: goodwill refund without lines" });
    at(days - 1);
    refundOrder(store, order, { lines: [], shipping: ZERO, amount: inOrderCurrencies(order, 300), note: "Goodwill" });
  },
  function fullRefund(store, at, days) {
    const order = randomOrder(store, { note: "Seed: full refund" });
    at(days - 3);
    refundOrder(store, order, wholeRefund(order, "RETURN", "Returned"));
  },
  function twoRefunds(store, at, days) {
    const order = randomOrder(store, {
      lines: [{ ...anyLine(store), quantity: 3 }],
      discount: { code: "CAMP10", percent: 10 },
      note: "Seed: two refunds of a discounted line",
    });
    for (const later of [1, 2]) {
      at(days - later);
      const [line] = order.lines;
      if (!line) return;
      const lines = [{ lineItemId: line.id, quantity: 1, restockType: "NO_RESTOCK" as const, locationId: null }];
      refundOrder(store, order, { lines, shipping: ZERO, amount: null, note: null });
    }
  },
  function edited(store, at, days) {
    const order = randomOrder(store, {
      lines: [{ ...anyLine(store), quantity: 2 }],
      note: "Seed: edited after it was placed",
    });
    at(days - 1);
    editOrder(store, order, { ...anyLine(store), quantity: 1 }, 1);
  },
  function cancelledPaid(store, at, days) {
    const order = randomOrder(store, { note: "Seed: cancelled and refunded" });
    at(days - 1);
    cancelOrder(store, order, { reason: "CUSTOMER", refund: true, restock: true });
  },
  function cancelledAuthorized(store, at, days) {
    const order = randomOrder(store, { payment: "authorized", note: "Seed: cancelled before capture" });
    at(days - 1);
    cancelOrder(store, order, { reason: "FRAUD", refund: false, restock: true });
  },
  function authorized(store) {
    randomOrder(store, { payment: "authorized", note: "Seed: authorized, not captured" });
  },
  function captured(store, at, days) {
    const order = randomOrder(store, { payment: "authorized", note: "Seed: authorized, then captured" });
    at(days - 1);
    capture(store, order);
  },
  function pending(store) {
    randomOrder(store, { payment: "pending", note: "Seed: waiting for a bank transfer" });
  },
  function guest(store) {
    randomOrder(store, { customer: null, email: "guest@visitor.example", note: "Seed: guest checkout, no customer" });
  },
  function nobody(store) {
    placeOrder(store, {
      customer: null,
      email: null,
      lines: [anyLine(store)],
      note: "Seed: no customer and no e-mail",
    });
  },
  function giftCard(store) {
    const product = [...store.catalog.products.values()].find((candidate) => candidate.isGiftCard);
    const variant = product?.variants[1];
    if (product && variant)
      randomOrder(store, { lines: [{ product, variant, quantity: 1 }], shipping: 0, note: "Seed: gift card" });
  },
  function testOrder(store) {
    randomOrder(store, { test: true, note: "Seed: test order" });
  },
  function free(store) {
    const lines = [{ ...anyLine(store), quantity: 1, unitPrice: 0 }];
    randomOrder(store, { lines, shipping: 0, note: "Seed: costs nothing" });
  },
  function zeroDecimalCurrency(store, at, days) {
    const presentment = store.catalog.profile.presentment.find((entry) => entry.currency === "JPY");
    if (!presentment) return;
    const order = randomOrder(store, {
      presentmentCurrency: "JPY",
      lines: [{ ...anyLine(store), quantity: 2 }],
      note: "Seed: paid in yen",
    });
    at(days - 1);
    const [line] = order.lines;
    if (!line) return;
    const lines = [{ lineItemId: line.id, quantity: 1, restockType: "NO_RESTOCK" as const, locationId: null }];
    refundOrder(store, order, { lines, shipping: ZERO, amount: null, note: null });
  },
  function manyLines(store) {
    const lines = Array.from({ length: 34 }, () => ({ ...anyLine(store), quantity: 1 }));
    randomOrder(store, { lines, note: "Seed: more lines than fit on a page of 30" });
  },
  function partlyShipped(store, at, days) {
    const order = randomOrder(store, {
      lines: [{ ...anyLine(store), quantity: 3 }, anyLine(store)],
      note: "Seed: partly shipped",
    });
    at(days - 1);
    fulfillOrder(store, order, { delivered: false, quantityOf: () => 1 });
  },
];

function ordinaryOrder(store: Store, at: At, days: number): void {
  const discount = store.dice.next() < 0.15 ? { discount: { code: "WELCOME10", percent: 10 } } : {};
  const order = randomOrder(store, { ...discount, tags: store.dice.next() < 0.1 ? ["b2b"] : [] });
  if (days > 2 && store.dice.next() < 0.8) {
    at(days - 1);
    fulfillOrder(store, order, { delivered: days > 6 });
  }
  if (days > 8 && store.dice.next() < 0.06) {
    at(days - 7);
    const { received } = totalsOf(order);
    if (received.shop > 0) refundOrder(store, order, wholeRefund(order, "RETURN", "Returned"));
  }
}

function anyCustomer(store: Store): Customer | null {
  return store.catalog.customers.size === 0 ? null : pick(store.dice, [...store.catalog.customers.values()]);
}

function anyCurrency(store: Store): string {
  const { currency, presentment } = store.catalog.profile;
  const foreign = presentment[Math.floor(store.dice.next() * presentment.length * 3)];
  return foreign?.currency ?? currency;
}
