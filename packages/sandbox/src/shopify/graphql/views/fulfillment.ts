import type { Fulfillment, LineItem, Order } from "../../model.ts";
import { scale } from "../../money.ts";
import { unfulfilledQuantity } from "../../totals.ts";
import { paginate, paginateInOrder, type PageArgs } from "../connections.ts";
import type { Ctx } from "../context.ts";
import { locationView } from "./inventory.ts";
import { lineItemView } from "./line-item.ts";
import { gid, moneyBag, time } from "./parts.ts";
import { variantView } from "./product.ts";

export function fulfillmentView(ctx: Ctx, order: Order, fulfillment: Fulfillment) {
  const location = ctx.shop.catalog.locations.get(fulfillment.locationId);
  const delivered = fulfillment.displayStatus === "DELIVERED";
  return {
    __typename: "Fulfillment",
    id: gid("Fulfillment", fulfillment.id),
    legacyResourceId: fulfillment.id.toString(),
    name: fulfillment.name,
    status: fulfillment.status,
    displayStatus: fulfillment.displayStatus,
    requiresShipping: true,
    totalQuantity: fulfillment.lines.reduce((sum, line) => sum + line.quantity, 0),
    location: () => (location ? locationView(ctx, location) : null),
    order: () => ctx.views.order(ctx, order),
    trackingInfo: () => (fulfillment.tracking ? [fulfillment.tracking] : []),
    fulfillmentLineItems: (args: PageArgs) =>
      paginateInOrder(ctx, fulfillment.lines, args, (shipped) => {
        const line = order.lines.find((candidate) => candidate.id === shipped.lineItemId);
        return {
          __typename: "FulfillmentLineItem",
          id: gid("FulfillmentLineItem", shipped.id),
          quantity: shipped.quantity,
          lineItem: () => (line ? lineItemView(ctx, order, line) : null),
          originalTotalSet: line ? moneyBag(order, scale(line.unit, shipped.quantity)) : null,
          discountedTotalSet: line ? moneyBag(order, scale(line.unit, shipped.quantity)) : null,
        };
      }),
    fulfillmentOrders: (args: PageArgs) =>
      paginateInOrder(ctx, [{ id: order.fulfillmentOrderId }], args, () => fulfillmentOrderView(ctx, order)),
    createdAt: time(fulfillment.createdAt),
    updatedAt: time(fulfillment.updatedAt),
    deliveredAt: delivered ? time(fulfillment.updatedAt) : null,
    inTransitAt: delivered ? time(fulfillment.createdAt) : null,
    estimatedDeliveryAt: null,
  };
}

export function fulfillmentOrderView(ctx: Ctx, order: Order): unknown {
  const location = ctx.shop.catalog.locations.get(order.locationId);
  const lines = order.lines.filter((line) => line.requiresShipping);
  return {
    __typename: "FulfillmentOrder",
    id: gid("FulfillmentOrder", order.fulfillmentOrderId),
    status: fulfillmentOrderStatus(order),
    requestStatus: "UNSUBMITTED",
    order: () => ctx.views.order(ctx, order),
    orderId: gid("Order", order.id),
    orderName: `#${order.number}`,
    orderProcessedAt: time(order.createdAt),
    assignedLocation: {
      name: location?.name ?? "Main warehouse",
      address1: location?.address.address1 ?? null,
      address2: location?.address.address2 ?? null,
      city: location?.address.city ?? null,
      countryCode: location?.address.countryCode ?? ctx.shop.catalog.profile.countryCode,
      phone: null,
      province: location?.address.province ?? null,
      zip: location?.address.zip ?? null,
      location: () => (location ? locationView(ctx, location) : null),
    },
    lineItems: (args: PageArgs) =>
      paginate(ctx, lines, args, {
        positionOf: (line) => ({ value: 0, id: line.id }),
        view: (line) => fulfillmentOrderLineView(ctx, order, line),
      }),
    fulfillments: (args: PageArgs) =>
      paginateInOrder(ctx, order.fulfillments, args, (f) => fulfillmentView(ctx, order, f)),
    fulfillAt: time(order.createdAt),
    fulfillBy: null,
    createdAt: time(order.createdAt),
    updatedAt: time(order.updatedAt),
  };
}

export function fulfillmentOrderStatus(order: Order): "CANCELLED" | "CLOSED" | "IN_PROGRESS" | "OPEN" {
  if (order.cancelledAt) return "CANCELLED";
  const open = order.lines.some((line) => line.requiresShipping && unfulfilledQuantity(order, line) > 0);
  if (!open) return "CLOSED";
  return order.fulfillments.length > 0 ? "IN_PROGRESS" : "OPEN";
}

function fulfillmentOrderLineView(ctx: Ctx, order: Order, line: LineItem) {
  const product = line.productId === null ? undefined : ctx.shop.catalog.products.get(line.productId);
  const variant = product?.variants.find((candidate) => candidate.id === line.variantId);
  return {
    __typename: "FulfillmentOrderLineItem",
    id: gid("FulfillmentOrderLineItem", line.id),
    inventoryItemId: variant ? gid("InventoryItem", variant.item.id) : null,
    lineItem: () => lineItemView(ctx, order, line),
    productTitle: line.title,
    remainingQuantity: unfulfilledQuantity(order, line),
    requiresShipping: line.requiresShipping,
    sku: line.sku,
    totalQuantity: line.quantity,
    variant: () => (product && variant ? variantView(ctx, product, variant) : null),
    variantTitle: line.variantTitle,
    vendor: line.vendor,
    weight: { value: line.grams, unit: "GRAMS" },
  };
}
