import type { Address, Order } from "../model.ts";
import { ZERO, isZero } from "../money.ts";
import { fulfillmentBody, orderBody } from "../rest/order.ts";
import { newId, Refused, type Store } from "../store.ts";
import { totalsOf, unfulfilledQuantity } from "../totals.ts";
import { type OrderLineInput } from "./place-order.ts";
import { refundOrder, wholeRefund } from "./refund-order.ts";
import { priceIn } from "../store.ts";

export interface OrderChanges {
  readonly note?: string | null;
  readonly tags?: readonly string[];
  readonly email?: string | null;
  readonly phone?: string | null;
  readonly poNumber?: string | null;
  readonly customAttributes?: readonly { readonly key: string; readonly value: string }[];
  readonly shippingAddress?: Address;
}

export function updateOrder(store: Store, order: Order, changes: OrderChanges): void {
  if (changes.note !== undefined) order.note = changes.note;
  if (changes.tags !== undefined) order.tags = [...changes.tags];
  if (changes.email !== undefined) order.email = changes.email;
  if (changes.phone !== undefined) order.phone = changes.phone;
  if (changes.poNumber !== undefined) order.poNumber = changes.poNumber;
  if (changes.customAttributes !== undefined) order.customAttributes = changes.customAttributes.map((a) => ({ ...a }));
  if (changes.shippingAddress !== undefined) order.shippingAddress = changes.shippingAddress;
  touch(store, order);
}

/** Cancels an order: takes every line back, pays back what was received or voids the authorization. */
export function cancelOrder(
  store: Store,
  order: Order,
  input: { readonly reason: NonNullable<Order["cancelReason"]>; readonly refund: boolean; readonly restock: boolean },
): void {
  if (order.cancelledAt) throw new Refused("The order is already cancelled.");
  const { received, authorized } = totalsOf(order);
  if (isZero(received) && !isZero(authorized)) voidAuthorization(store, order);
  order.cancelledAt = store.now();
  order.closedAt = store.now();
  order.cancelReason = input.reason;
  const whole = wholeRefund(order, input.restock ? "CANCEL" : "NO_RESTOCK", null);
  const amount = isZero(received) ? ZERO : (whole.amount ?? ZERO);
  // An order may have been refunded to the last cent and unit before.
  const isLeft = whole.lines.length > 0 || !isZero(amount);
  if (isLeft && (input.refund || isZero(received))) refundOrder(store, order, { ...whole, amount });
  order.updatedAt = store.now();
  store.emit("orders/cancelled", () => orderBody(store.catalog, order));
  store.emit("orders/updated", () => orderBody(store.catalog, order));
}

/** Ships every open unit of the order from its location. */
export function fulfillOrder(
  store: Store,
  order: Order,
  delivery: { readonly delivered: boolean; readonly quantityOf?: (open: number) => number },
): void {
  const lines = order.lines
    .map((line) => ({ id: newId(store), lineItemId: line.id, quantity: openUnits(order, line, delivery.quantityOf) }))
    .filter((line) => line.quantity > 0);
  if (lines.length === 0) throw new Refused("Nothing is left to fulfill.");
  const number = `9400${String(newId(store)).slice(-12)}`;
  const fulfillment = {
    id: newId(store),
    name: `#${order.number}.${order.fulfillments.length + 1}`,
    locationId: order.locationId,
    status: "SUCCESS" as const,
    displayStatus: delivery.delivered ? ("DELIVERED" as const) : ("FULFILLED" as const),
    tracking: { company: "USPS", number, url: `https://tools.usps.com/go/TrackConfirmAction?tLabels=${number}` },
    lines,
    createdAt: store.now(),
    updatedAt: store.now(),
  };
  order.fulfillments.push(fulfillment);
  order.updatedAt = store.now();
  store.emit("fulfillments/create", () => fulfillmentBody(order, fulfillment));
  touch(store, order);
}

/** An order edit: adds a line and takes units of the first one away. The customer then owes or is owed the difference. */
export function editOrder(store: Store, order: Order, added: OrderLineInput, removeOfFirst: number): void {
  const [first] = order.lines;
  if (first) first.removedByEdit += Math.min(removeOfFirst, first.quantity - first.removedByEdit);
  order.lines.push({
    id: newId(store),
    productId: added.product.id,
    variantId: added.variant.id,
    title: added.product.title,
    variantTitle: added.variant.title === "Default Title" ? null : added.variant.title,
    sku: added.variant.sku,
    vendor: added.product.vendor,
    quantity: added.quantity,
    removedByEdit: 0,
    addedByEdit: true,
    unit: priceIn(store, added.unitPrice ?? added.variant.price, order.presentmentCurrency),
    discount: ZERO,
    taxable: added.variant.taxable,
    isGiftCard: added.product.isGiftCard,
    requiresShipping: added.variant.item.requiresShipping,
    grams: added.variant.item.grams,
  });
  order.edited = true;
  touch(store, order);
}

function openUnits(order: Order, line: Order["lines"][0], quantityOf?: (open: number) => number): number {
  const open = line.requiresShipping ? unfulfilledQuantity(order, line) : 0;
  return quantityOf ? Math.min(open, quantityOf(open)) : open;
}

function voidAuthorization(store: Store, order: Order): void {
  const parent = order.transactions.find((transaction) => transaction.kind === "AUTHORIZATION");
  if (!parent) return;
  order.transactions.push({ ...parent, id: newId(store), kind: "VOID", parentId: parent.id, createdAt: store.now() });
}

function touch(store: Store, order: Order): void {
  order.updatedAt = store.now();
  store.emit("orders/updated", () => orderBody(store.catalog, order));
}
