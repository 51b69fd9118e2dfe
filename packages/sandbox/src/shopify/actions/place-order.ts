import { orderBody } from "../rest/order.ts";
import { transactionBody } from "../rest/refund.ts";
import { customerBody } from "../rest/customer.ts";
import type { Address, Customer, Order, Product, Variant } from "../model.ts";
import { add, isZero, scale, subtract, ZERO } from "../money.ts";
import { newId, pick, priceIn, Refused, type Store } from "../store.ts";
import { totalsOf } from "../totals.ts";
import { commitStock } from "./stock.ts";

export interface OrderLineInput {
  readonly product: Product;
  readonly variant: Variant;
  readonly quantity: number;
  /** Overrides the variant's price; minor units of the shop's currency. */
  readonly unitPrice?: number;
  readonly taxable?: boolean;
}

export interface PlaceOrderInput {
  readonly customer: Customer | null;
  readonly email?: string | null;
  readonly lines: readonly OrderLineInput[];
  readonly presentmentCurrency?: string;
  /** Minor units of the shop's currency. */
  readonly shipping?: number;
  readonly discount?: { readonly code: string; readonly percent: number };
  readonly payment?: "authorized" | "paid" | "pending";
  readonly test?: boolean;
  readonly note?: string | null;
  readonly tags?: readonly string[];
  readonly locationId?: bigint;
}

/** Places an order: takes stock, takes the money as asked, and tells the subscribers. */
export function placeOrder(store: Store, input: PlaceOrderInput): Order {
  if (input.lines.length === 0) throw new Refused("An order needs at least one line.");
  const order = newOrder(store, input);
  pay(store, order, input.payment ?? "paid");
  store.catalog.orders.set(order.id, order);
  store.emit("orders/create", () => orderBody(store.catalog, order));
  for (const transaction of order.transactions) {
    store.emit("order_transactions/create", () => transactionBody(order, transaction));
  }
  if (input.payment === undefined || input.payment === "paid") {
    store.emit("orders/paid", () => orderBody(store.catalog, order));
  }
  commitStock(store, order);
  if (input.customer) touchCustomer(store, input.customer);
  return order;
}

function newOrder(store: Store, input: PlaceOrderInput): Order {
  const { catalog, now } = store;
  const { profile } = catalog;
  const presentmentCurrency = input.presentmentCurrency ?? profile.currency;
  const address = input.customer?.addresses[0] ?? guestAddress(store);
  const needsShipping = input.lines.some((line) => line.variant.item.requiresShipping);
  const shippingPrice = priceIn(store, input.shipping ?? 795, presentmentCurrency);
  return {
    id: newId(store),
    number: ++catalog.nextOrderNumber,
    confirmationNumber: confirmationNumber(store),
    customerId: input.customer?.id ?? null,
    email: input.email ?? input.customer?.email ?? null,
    phone: null,
    note: input.note ?? null,
    tags: [...(input.tags ?? [])],
    poNumber: null,
    customAttributes: [],
    test: input.test ?? false,
    currency: profile.currency,
    presentmentCurrency,
    taxesIncluded: profile.taxesIncluded,
    tax: profile.tax,
    sourceName: "web",
    discountCode: input.discount?.code ?? null,
    gateway: input.payment === "pending" ? "Bank Deposit" : "shopify_payments",
    edited: false,
    lines: input.lines.map((line) => newLine(store, line, input, presentmentCurrency)),
    shipping: needsShipping ? { id: newId(store), title: "Standard", price: shippingPrice } : null,
    transactions: [],
    refunds: [],
    fulfillments: [],
    fulfillmentOrderId: newId(store),
    locationId:
      input.locationId ??
      pick(
        store.dice,
        [...catalog.locations.values()].filter((l) => l.isActive),
      ).id,
    billingAddress: address,
    shippingAddress: needsShipping ? address : null,
    createdAt: now(),
    updatedAt: now(),
    closedAt: null,
    cancelledAt: null,
    cancelReason: null,
  };
}

function newLine(
  store: Store,
  line: OrderLineInput,
  input: PlaceOrderInput,
  presentmentCurrency: string,
): Order["lines"][0] {
  const { product, variant } = line;
  const unit = priceIn(store, line.unitPrice ?? variant.price, presentmentCurrency);
  return {
    id: newId(store),
    productId: product.id,
    variantId: variant.id,
    title: product.title,
    variantTitle: variant.title === "Default Title" ? null : variant.title,
    sku: variant.sku,
    vendor: product.vendor,
    quantity: line.quantity,
    removedByEdit: 0,
    addedByEdit: false,
    unit,
    discount: input.discount ? scale(unit, (line.quantity * input.discount.percent) / 100) : ZERO,
    taxable: line.taxable ?? variant.taxable,
    isGiftCard: product.isGiftCard,
    requiresShipping: variant.item.requiresShipping,
    grams: variant.item.grams,
  };
}

function pay(store: Store, order: Order, payment: "authorized" | "paid" | "pending"): void {
  const amount = totalsOf(order).total.total;
  if (isZero(amount)) return;
  order.transactions.push({
    id: newId(store),
    kind: payment === "authorized" ? "AUTHORIZATION" : "SALE",
    status: payment === "pending" ? "PENDING" : "SUCCESS",
    gateway: order.gateway,
    amount,
    parentId: null,
    createdAt: store.now(),
  });
}

/** Captures what an authorized order still owes. */
export function capture(store: Store, order: Order): void {
  const { total, received } = totalsOf(order);
  const parent = order.transactions.find((transaction) => transaction.kind === "AUTHORIZATION");
  order.transactions.push({
    id: newId(store),
    kind: "CAPTURE",
    status: "SUCCESS",
    gateway: order.gateway,
    amount: add(subtract(total.total, received)),
    parentId: parent?.id ?? null,
    createdAt: store.now(),
  });
  order.updatedAt = store.now();
}

function touchCustomer(store: Store, customer: Customer): void {
  customer.updatedAt = store.now();
  store.emit("customers/update", () => customerBody(store.catalog, customer));
}

function guestAddress(store: Store): Address {
  const { country, countryCode } = store.catalog.profile;
  return {
    id: newId(store),
    firstName: "Guest",
    lastName: "Shopper",
    company: null,
    address1: "1 Market Street",
    address2: null,
    city: "Springfield",
    province: null,
    provinceCode: null,
    country,
    countryCode,
    zip: "10001",
    phone: null,
  };
}

const CONFIRMATION_ALPHABET = Array.from("ABCDEFGHJKLMNPQRSTUVWXYZ23456789");

function confirmationNumber(store: Store): string {
  return Array.from({ length: 9 }, () => pick(store.dice, CONFIRMATION_ALPHABET)).join("");
}
