import { z } from "zod";
import { createCustomer, updateCustomer } from "../actions/change-customer.ts";
import { cancelOrder, fulfillOrder, updateOrder } from "../actions/change-order.ts";
import { deleteProduct, updateVariant } from "../actions/change-product.ts";
import { inOrderCurrencies, refundOrder, wholeRefund } from "../actions/refund-order.ts";
import { uninstall } from "../actions/uninstall.ts";
import { announceUninstall, liveStore, type Services } from "../http/env.ts";
import type { Customer, Order, Product, RestockType } from "../model.ts";
import { fromDecimal, toDecimal, ZERO } from "../money.ts";
import { revokeTokens } from "../oauth/tokens.ts";
import { anyLine, randomOrder } from "../seed/orders.ts";
import { pick, Refused } from "../store.ts";
import { currentQuantity, financialStatus, totalsOf } from "../totals.ts";
import { CALM, type ShopState, type Switches } from "../world.ts";

/** What a control call answers: a sentence for people, and ids and figures for programs. */
export interface Outcome {
  readonly message: string;
  readonly [key: string]: boolean | number | string | null | readonly string[];
}

export interface Verb {
  readonly run: (services: Services, shop: ShopState, input: unknown) => Outcome;
}

const id = z
  .string()
  .trim()
  .regex(/^(gid:\/\/shopify\/\w+\/)?\d{1,20}$/)
  .transform((text) => BigInt(text.replace(/^.*\//, "")));
const optionalId = z.union([z.literal("").transform(() => undefined), id]).optional();
const optionalAmount = z
  .union([
    z.literal("").transform(() => undefined),
    z
      .string()
      .trim()
      .regex(/^\d{1,9}(\.\d{1,3})?$/),
  ])
  .optional();
const flag = z.union([
  z.boolean(),
  z.enum(["on", "true", "1"]).transform(() => true),
  z.enum(["", "off", "false", "0"]).transform(() => false),
]);
const whole = (max: number) => z.coerce.number().int().min(0).max(max);

/** Everything the control page and `/_control` can do to a store, by name. */
export const VERBS: Readonly<Record<string, Verb>> = {
  "place-order": verb(
    z.object({
      amount: optionalAmount,
      customer: z.enum(["any", "guest", "new", "known"]).default("any"),
      currency: z
        .string()
        .regex(/^[A-Z]{3}$/)
        .optional(),
    }),
    placeOrder,
  ),
  refund: verb(
    z.object({
      orderId: optionalId,
      amount: optionalAmount,
      lines: z.enum(["all", "one", "none"]).optional(),
      restock: flag.optional(),
    }),
    refund,
  ),
  "update-order": verb(z.object({ orderId: optionalId, note: z.string().max(5000) }), updateNote),
  "cancel-order": verb(z.object({ orderId: optionalId }), cancel),
  "fulfill-order": verb(z.object({ orderId: optionalId }), fulfill),
  "edit-product": verb(z.object({ productId: optionalId, price: optionalAmount }), editPrice),
  "delete-product": verb(z.object({ productId: optionalId }), removeProduct),
  "update-customer": verb(
    z.object({ customerId: optionalId, note: z.string().max(5000).default("Called to say hello.") }),
    updateNoteOfCustomer,
  ),
  uninstall: verb(z.object({ clientId: z.string().optional() }), uninstallApp),
  "revoke-tokens": verb(z.object({}), (_services, shop) => {
    const count = revokeTokens(shop);
    return { message: `${count} access tokens revoked. The app stays installed.`, count };
  }),
  switches: verb(
    z.object({
      latencyMs: whole(60_000).optional(),
      failCount: whole(10_000).optional(),
      failStatus: z
        .union([z.literal(429), z.literal(500), z.literal(502), z.enum(["429", "500", "502"]).transform(Number)])
        .optional(),
      dropNext: whole(10_000).optional(),
      throttleNext: whole(10_000).optional(),
      duplicates: whole(20).optional(),
      disorder: flag.optional(),
      hold: flag.optional(),
      sixtyDayWindow: flag.optional(),
      protectedData: flag.optional(),
    }),
    setSwitches,
  ),
  calm: verb(z.object({}), (services, shop) => {
    shop.switches = structuredClone(CALM);
    const released = services.dispatcher.release(shop);
    return { message: "Everything works again.", released };
  }),
  "release-webhooks": verb(z.object({}), (services, shop) => {
    shop.switches.hold = false;
    const released = services.dispatcher.release(shop);
    return { message: `${released} held webhooks released.`, released };
  }),
  "retry-webhooks": verb(z.object({}), (services) => {
    const started = services.dispatcher.retryDueNow();
    return { message: `${started} due webhooks sent again.`, started };
  }),
  compliance: verb(
    z.object({
      topic: z.enum(["customers/data_request", "customers/redact", "shop/redact"]),
      clientId: z.string().optional(),
      customerId: optionalId,
    }),
    sendCompliance,
  ),
};

function placeOrder(
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

function refund(
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

function updateNote(
  services: Services,
  shop: ShopState,
  input: { orderId?: bigint | undefined; note: string },
): Outcome {
  const order = orderFor(shop, input.orderId, () => true);
  updateOrder(liveStore(services, shop), order, { note: input.note });
  return { message: `Note of order #${order.number} changed.`, ...describe(order) };
}

function cancel(services: Services, shop: ShopState, input: { orderId?: bigint | undefined }): Outcome {
  const order = orderFor(shop, input.orderId, (candidate) => candidate.cancelledAt === null);
  cancelOrder(liveStore(services, shop), order, { reason: "CUSTOMER", refund: true, restock: true });
  return { message: `Order #${order.number} cancelled.`, ...describe(order) };
}

function fulfill(services: Services, shop: ShopState, input: { orderId?: bigint | undefined }): Outcome {
  const order = orderFor(
    shop,
    input.orderId,
    (candidate) => candidate.fulfillments.length === 0 && candidate.cancelledAt === null,
  );
  fulfillOrder(liveStore(services, shop), order, { delivered: false });
  return { message: `Order #${order.number} shipped.`, ...describe(order) };
}

function editPrice(
  services: Services,
  shop: ShopState,
  input: { productId?: bigint | undefined; price?: string | undefined },
): Outcome {
  const product = productFor(services, shop, input.productId);
  const [variant] = product.variants;
  if (!variant) throw new Refused("The product has no variant.");
  const { currency } = shop.catalog.profile;
  const price = input.price === undefined ? variant.price + 100 : minor(input.price, currency);
  updateVariant(liveStore(services, shop), product, variant, { price });
  return {
    message: `${product.title} now costs ${toDecimal(price, currency)} ${currency}.`,
    productId: product.id.toString(),
    variantId: variant.id.toString(),
    price: toDecimal(price, currency),
  };
}

function removeProduct(services: Services, shop: ShopState, input: { productId?: bigint | undefined }): Outcome {
  const product = productFor(services, shop, input.productId);
  deleteProduct(liveStore(services, shop), product);
  return { message: `${product.title} deleted.`, productId: product.id.toString() };
}

function updateNoteOfCustomer(
  services: Services,
  shop: ShopState,
  input: { customerId?: bigint | undefined; note: string },
): Outcome {
  const customer =
    input.customerId === undefined
      ? pick(services.world.dice, [...shop.catalog.customers.values()])
      : shop.catalog.customers.get(input.customerId);
  if (!customer) throw new Refused("This store has no such customer.");
  updateCustomer(liveStore(services, shop), customer, { note: input.note });
  return { message: `Note of ${customer.firstName ?? "the customer"} changed.`, customerId: customer.id.toString() };
}

function uninstallApp(services: Services, shop: ShopState, input: { clientId?: string | undefined }): Outcome {
  const asked = input.clientId ? [input.clientId] : [...shop.installs.keys()];
  const gone = asked.filter((clientId) => uninstall(shop, clientId, announceUninstall(services, shop)));
  if (gone.length === 0) throw new Refused("No app is installed in this store.");
  return { message: `Uninstalled: ${gone.join(", ")}.`, clientIds: gone };
}

type SwitchesInput = { readonly [Name in keyof Switches]?: Switches[Name] | undefined } & {
  readonly failCount?: number | undefined;
  readonly failStatus?: number | undefined;
};

function setSwitches(services: Services, shop: ShopState, input: SwitchesInput): Outcome {
  const { failCount, failStatus, ...rest } = input;
  const { switches } = shop;
  const given = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
  Object.assign(switches, given);
  if (failStatus !== undefined) switches.failNext.status = failStatus === 429 ? 429 : failStatus === 502 ? 502 : 500;
  if (failCount !== undefined) switches.failNext.count = failCount;
  if (rest.hold === false) services.dispatcher.release(shop);
  return { message: "Switches set." };
}

function sendCompliance(
  services: Services,
  shop: ShopState,
  input: { topic: string; clientId?: string | undefined; customerId?: bigint | undefined },
): Outcome {
  const { id: shopId, domain } = shop.catalog.profile;
  const clientId =
    input.clientId ?? [...services.world.state.apps.values()].find((app) => app.complianceUrl)?.clientId ?? "";
  const customer =
    input.customerId === undefined
      ? pick(services.world.dice, [...shop.catalog.customers.values()])
      : shop.catalog.customers.get(input.customerId);
  const orders = [...shop.catalog.orders.values()]
    .filter((order) => order.customerId === customer?.id)
    .map((order) => order.id);
  const person = { id: customer?.id ?? 0n, email: customer?.email ?? null, phone: customer?.phone ?? null };
  const body = {
    shop_id: shopId,
    shop_domain: domain,
    ...(input.topic === "shop/redact" ? {} : { customer: person }),
    ...(input.topic === "customers/data_request" ? { orders_requested: orders, data_request: { id: 9999 } } : {}),
    ...(input.topic === "customers/redact" ? { orders_to_redact: orders } : {}),
  };
  if (!services.dispatcher.compliance(shop, clientId, input.topic, body))
    throw new Refused("No app has registered a compliance URL.");
  return { message: `${input.topic} sent.`, clientId, customerId: person.id.toString() };
}

function verb<T>(schema: z.ZodType<T>, run: (services: Services, shop: ShopState, input: T) => Outcome): Verb {
  return { run: (services, shop, input) => run(services, shop, schema.parse(input)) };
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

function productFor(services: Services, shop: ShopState, productId: bigint | undefined): Product {
  const product =
    productId === undefined
      ? pick(services.world.dice, [...shop.catalog.products.values()])
      : shop.catalog.products.get(productId);
  if (!product) throw new Refused("This store has no such product.");
  return product;
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

function minor(text: string, currency: string): number {
  const amount = fromDecimal(text, currency);
  if (amount === null) throw new Refused(`${text} is not an amount of ${currency}.`);
  return amount;
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
