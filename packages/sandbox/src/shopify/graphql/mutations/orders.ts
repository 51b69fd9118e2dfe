import type { GraphQLResolveInfo } from "graphql";
import { cancelOrder, updateOrder } from "../../actions/change-order.ts";
import { inOrderCurrencies, refundOrder } from "../../actions/refund-order.ts";
import type { Address, Bag, Order, RestockType } from "../../model.ts";
import { add, fromDecimal, subtract, ZERO } from "../../money.ts";
import { allows } from "../../oauth/scopes.ts";
import { newId } from "../../store.ts";
import { totalsOf } from "../../totals.ts";
import { accessDenied } from "../access.ts";
import type { Ctx } from "../context.ts";
import { idOf } from "../gid.ts";
import { idempotentAttempt } from "../idempotency.ts";
import { orderView } from "../views/order.ts";
import { gid } from "../views/parts.ts";
import { refundView } from "../views/refund.ts";
import { attempt, userError } from "./user-errors.ts";

interface AddressInput {
  readonly firstName?: string | null;
  readonly lastName?: string | null;
  readonly company?: string | null;
  readonly address1?: string | null;
  readonly address2?: string | null;
  readonly city?: string | null;
  readonly countryCode?: string | null;
  readonly provinceCode?: string | null;
  readonly zip?: string | null;
  readonly phone?: string | null;
}

interface OrderInput {
  readonly id: string;
  readonly note?: string | null;
  readonly tags?: readonly string[];
  readonly email?: string | null;
  readonly phone?: string | null;
  readonly poNumber?: string | null;
  readonly customAttributes?: readonly { readonly key: string; readonly value: string }[];
  readonly shippingAddress?: AddressInput | null;
}

interface RefundInput {
  readonly orderId: string;
  readonly note?: string | null;
  readonly allowOverRefunding?: boolean;
  readonly refundLineItems?: readonly {
    readonly lineItemId: string;
    readonly quantity: number;
    readonly restockType?: RestockType | null;
    readonly locationId?: string | null;
  }[];
  readonly shipping?: { readonly amount?: string | null; readonly fullRefund?: boolean | null } | null;
  readonly transactions?: readonly { readonly amount: string; readonly kind: string }[];
}

interface CancelArgs {
  readonly orderId: string;
  readonly reason: NonNullable<Order["cancelReason"]>;
  readonly restock: boolean;
  readonly refundMethod?: { readonly originalPaymentMethodsRefund?: boolean | null } | null;
}

export function orderMutations(ctx: Ctx) {
  return {
    orderUpdate: (args: { readonly input: OrderInput }) => update(ctx, args.input),
    orderCancel: (args: CancelArgs) => cancel(ctx, args),
    refundCreate: (args: { readonly input: RefundInput }, _ctx: Ctx, info: GraphQLResolveInfo) =>
      refund(ctx, args.input, info),
  };
}

export function findOrder(ctx: Ctx, orderGid: string): Order | undefined {
  const id = idOf("Order", orderGid);
  return id === null ? undefined : ctx.shop.catalog.orders.get(id);
}

function update(ctx: Ctx, input: OrderInput) {
  const order = findOrder(ctx, input.id);
  if (!order) return { order: null, userErrors: [userError("Order does not exist", ["id"])] };
  const { id: _id, shippingAddress, ...rest } = input;
  const changes = shippingAddress
    ? { ...rest, shippingAddress: addressFrom(ctx, shippingAddress, order.shippingAddress) }
    : rest;
  updateOrder(ctx.store, order, changes);
  return { order: orderView(ctx, order), userErrors: [] };
}

function cancel(ctx: Ctx, args: CancelArgs) {
  const order = findOrder(ctx, args.orderId);
  if (!order)
    return { job: null, orderCancelUserErrors: [userError("Order does not exist", ["orderId"], "NOT_FOUND")] };
  const refundAsked = args.refundMethod?.originalPaymentMethodsRefund ?? false;
  const done = attempt(() =>
    cancelOrder(ctx.store, order, { reason: args.reason, refund: refundAsked, restock: args.restock }),
  );
  if ("error" in done)
    return { job: null, orderCancelUserErrors: [{ ...done.error, field: ["orderId"], code: "INVALID" }] };
  return { job: { id: gid("Job", newId(ctx.store)), done: true }, orderCancelUserErrors: [] };
}

function refund(ctx: Ctx, input: RefundInput, info: GraphQLResolveInfo) {
  if (!allows(ctx.token.scopes, ["write_orders", "write_marketplace_orders"]))
    throw accessDenied("refundCreate", ["write_orders"]);
  const order = findOrder(ctx, input.orderId);
  if (!order) return { refund: null, order: null, userErrors: [userError("Order does not exist", ["orderId"])] };
  const key = idempotentAttempt(ctx, info, input);
  if (key.kind === "mismatch") {
    const message = "The same idempotency key cannot be used with different operation parameters.";
    return { refund: null, order: null, userErrors: [userError(message)] };
  }
  if (key.kind === "replay") {
    const earlier = order.refunds.find((candidate) => candidate.id === key.resultId);
    return { refund: earlier ? refundView(ctx, order, earlier) : null, order: orderView(ctx, order), userErrors: [] };
  }
  const done = attempt(() => {
    const lines = (input.refundLineItems ?? []).map((line) => ({
      lineItemId: idOf("LineItem", line.lineItemId) ?? 0n,
      quantity: line.quantity,
      restockType: line.restockType ?? ("NO_RESTOCK" as const),
      locationId: line.locationId ? idOf("Location", line.locationId) : null,
    }));
    return refundOrder(ctx.store, order, {
      lines,
      shipping: shippingOf(order, input),
      amount: amountOf(order, input),
      note: input.note ?? null,
    });
  });
  if ("error" in done) return { refund: null, order: null, userErrors: [done.error] };
  key.remember(done.ok.id);
  return { refund: refundView(ctx, order, done.ok), order: orderView(ctx, order), userErrors: [] };
}

/** Without transactions nothing is paid back, as in Shopify: the lines are only taken off the order. */
function amountOf(order: Order, input: RefundInput): Bag {
  const refunds = (input.transactions ?? []).filter((transaction) => transaction.kind === "REFUND");
  return add(
    ...refunds.map((transaction) => inOrderCurrencies(order, fromDecimal(transaction.amount, order.currency) ?? 0)),
  );
}

function shippingOf(order: Order, input: RefundInput): Bag {
  const { shipping, refundedShipping } = totalsOf(order);
  if (input.shipping?.fullRefund) return subtract(shipping, refundedShipping);
  if (!input.shipping?.amount) return ZERO;
  return inOrderCurrencies(order, fromDecimal(input.shipping.amount, order.currency) ?? 0);
}

function addressFrom(ctx: Ctx, input: AddressInput, before: Address | null): Address {
  const { country, countryCode } = ctx.shop.catalog.profile;
  return {
    id: newId(ctx.store),
    firstName: input.firstName ?? before?.firstName ?? "",
    lastName: input.lastName ?? before?.lastName ?? "",
    company: input.company ?? before?.company ?? null,
    address1: input.address1 ?? before?.address1 ?? "",
    address2: input.address2 ?? before?.address2 ?? null,
    city: input.city ?? before?.city ?? "",
    province: before?.province ?? null,
    provinceCode: input.provinceCode ?? before?.provinceCode ?? null,
    country: before?.country ?? country,
    countryCode: input.countryCode ?? before?.countryCode ?? countryCode,
    zip: input.zip ?? before?.zip ?? "",
    phone: input.phone ?? before?.phone ?? null,
  };
}
