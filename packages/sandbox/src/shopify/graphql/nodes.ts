import { findVariant } from "../actions/stock.ts";
import type { Ctx } from "./context.ts";
import { parseGid } from "./gid.ts";
import { visibleOrders } from "./lists.ts";
import { customerView } from "./views/customer.ts";
import { fulfillmentOrderView, fulfillmentView } from "./views/fulfillment.ts";
import { inventoryItemView, inventoryLevelView, locationView } from "./views/inventory.ts";
import { lineItemView } from "./views/line-item.ts";
import { orderView } from "./views/order.ts";
import { productView, variantView } from "./views/product.ts";
import { refundView, transactionView } from "./views/refund.ts";
import { bulkView, shopView, subscriptionView } from "./views/shop.ts";

/** What `node(id:)` answers: any object with a global id, null when this token cannot see it. */
export function nodeView(ctx: Ctx, gid: string): unknown {
  const parsed = parseGid(gid);
  if (!parsed) return null;
  const { catalog, subscriptions, bulkOperations } = ctx.shop;
  const { id } = parsed;
  switch (parsed.type) {
    case "Shop":
      return id === catalog.profile.id ? shopView(ctx) : null;
    case "Customer":
      return view(catalog.customers.get(id), (customer) => customerView(ctx, customer));
    case "Product":
      return view(catalog.products.get(id), (product) => productView(ctx, product));
    case "ProductVariant":
      return view(findVariant(ctx.store, id), ({ product, variant }) => variantView(ctx, product, variant));
    case "InventoryItem":
    case "InventoryLevel":
      return inventoryNode(ctx, parsed.type, id, parsed.query);
    case "Location":
      return view(catalog.locations.get(id), (location) => locationView(ctx, location));
    case "WebhookSubscription":
      return view(subscriptions.get(id), (found) =>
        found.clientId === ctx.install.clientId ? subscriptionView(found) : null,
      );
    case "BulkOperation":
      return view(bulkOperations.get(id), (found) =>
        found.clientId === ctx.install.clientId ? bulkView(ctx, found) : null,
      );
    default:
      return orderNode(ctx, parsed.type, id);
  }
}

function orderNode(ctx: Ctx, type: string, id: bigint): unknown {
  for (const order of visibleOrders(ctx)) {
    switch (type) {
      case "Order":
        if (order.id === id) return orderView(ctx, order);
        break;
      case "FulfillmentOrder":
        if (order.fulfillmentOrderId === id) return fulfillmentOrderView(ctx, order);
        break;
      case "Refund": {
        const refund = order.refunds.find((candidate) => candidate.id === id);
        if (refund) return refundView(ctx, order, refund);
        break;
      }
      case "Fulfillment": {
        const fulfillment = order.fulfillments.find((candidate) => candidate.id === id);
        if (fulfillment) return fulfillmentView(ctx, order, fulfillment);
        break;
      }
      case "LineItem": {
        const line = order.lines.find((candidate) => candidate.id === id);
        if (line) return lineItemView(ctx, order, line);
        break;
      }
      case "OrderTransaction": {
        const transaction = order.transactions.find((candidate) => candidate.id === id);
        if (transaction) return transactionView(ctx, order, transaction);
        break;
      }
      default:
        return null;
    }
  }
  return null;
}

function inventoryNode(
  ctx: Ctx,
  type: "InventoryItem" | "InventoryLevel",
  id: bigint,
  query: URLSearchParams,
): unknown {
  const itemId =
    type === "InventoryItem" ? id : BigInt(/^\d{1,20}$/.exec(query.get("inventory_item_id") ?? "")?.[0] ?? "0");
  for (const product of ctx.shop.catalog.products.values()) {
    const variant = product.variants.find((candidate) => candidate.item.id === itemId);
    if (!variant) continue;
    if (type === "InventoryItem") return inventoryItemView(ctx, product, variant);
    const level = variant.item.levels.find((candidate) => candidate.locationId === id);
    return level ? inventoryLevelView(ctx, product, variant, level) : null;
  }
  return null;
}

function view<T>(found: T | null | undefined, make: (found: T) => unknown): unknown {
  return found ? make(found) : null;
}
