import type { Customer, Product } from "../model.ts";
import type { BulkOperation, Subscription } from "../world.ts";
import { type Connection, paginate } from "./connections.ts";
import type { Ctx } from "./context.ts";
import { idOf } from "./gid.ts";
import { type ListArgs, orderConnection, visibleOrders } from "./lists.ts";
import { nodeView } from "./nodes.ts";
import { compileSearch, type Searchable } from "./search.ts";
import {
  CUSTOMER_SEARCH,
  ITEM_SEARCH,
  LOCATION_SEARCH,
  ORDER_SEARCH,
  PRODUCT_SEARCH,
  VARIANT_SEARCH,
  type VariantRow,
} from "./searchables.ts";
import { publicVersions } from "./versions.ts";
import { customerView } from "./views/customer.ts";
import { fulfillmentOrderStatus, fulfillmentOrderView } from "./views/fulfillment.ts";
import { inventoryItemView, locationView } from "./views/inventory.ts";
import { count } from "./views/parts.ts";
import { productView, variantView } from "./views/product.ts";
import { bulkView, installView, shopView, subscriptionView } from "./views/shop.ts";

interface IdArgs {
  readonly id: string;
}

interface CountArgs {
  readonly query?: string | null;
  readonly limit?: number | null;
}

interface SubscriptionArgs extends ListArgs {
  readonly topics?: readonly string[] | null;
  readonly uri?: string | null;
  readonly format?: string | null;
}

/** The fields of `QueryRoot`. */
export function queryRoot(ctx: Ctx) {
  const { catalog } = ctx.shop;
  return {
    shop: () => shopView(ctx),
    publicApiVersions: () => publicVersions(),
    currentAppInstallation: () => installView(ctx, ctx.install),
    appInstallation: () => installView(ctx, ctx.install),
    node: (args: IdArgs) => nodeView(ctx, args.id),
    nodes: (args: { readonly ids: readonly string[] }) => args.ids.map((id) => nodeView(ctx, id)),
    ...byId(ctx),
    orders: (args: ListArgs) => orderConnection(ctx, visibleOrders(ctx), args),
    ordersCount: (args: CountArgs) => counted(visibleOrders(ctx), args, ORDER_SEARCH),
    customers: (args: ListArgs) => customerList(ctx, args),
    customersCount: (args: CountArgs) => counted([...catalog.customers.values()], args, CUSTOMER_SEARCH),
    products: (args: ListArgs) => productList(ctx, args),
    productsCount: (args: CountArgs) => counted([...catalog.products.values()], args, PRODUCT_SEARCH),
    productVariants: (args: ListArgs) => variantList(ctx, args),
    productVariantsCount: (args: CountArgs) => counted(variantRows(ctx), args, VARIANT_SEARCH),
    inventoryItems: (args: ListArgs) => inventoryItemList(ctx, args),
    locations: (args: ListArgs & { readonly includeInactive?: boolean }) => locationList(ctx, args),
    locationsCount: (args: CountArgs) => counted([...catalog.locations.values()], args, LOCATION_SEARCH),
    fulfillmentOrders: (args: ListArgs & { readonly includeClosed?: boolean }) => fulfillmentOrderList(ctx, args),
    bulkOperations: (args: ListArgs) => bulkList(ctx, args),
    webhookSubscriptions: (args: SubscriptionArgs) => subscriptionList(ctx, args),
    webhookSubscriptionsCount: (args: CountArgs) => count(mySubscriptions(ctx).length, args.limit),
  };
}

/** Single objects by id: whatever `node` finds, if it is of the field's type. */
function byId(ctx: Ctx) {
  const only = (type: string) => (args: IdArgs) => {
    const id = idOf(type, args.id);
    return id === null
      ? null
      : nodeView(ctx, `gid://shopify/${type}/${id}${args.id.includes("?") ? args.id.slice(args.id.indexOf("?")) : ""}`);
  };
  return {
    order: only("Order"),
    customer: only("Customer"),
    product: only("Product"),
    productVariant: only("ProductVariant"),
    inventoryItem: only("InventoryItem"),
    inventoryLevel: only("InventoryLevel"),
    refund: only("Refund"),
    fulfillment: only("Fulfillment"),
    fulfillmentOrder: only("FulfillmentOrder"),
    bulkOperation: only("BulkOperation"),
    webhookSubscription: only("WebhookSubscription"),
    location: (args: { readonly id?: string | null }) =>
      args.id ? only("Location")({ id: args.id }) : firstLocation(ctx),
  };
}

function customerList(ctx: Ctx, args: ListArgs): Connection {
  const found = [...ctx.shop.catalog.customers.values()].filter(compileSearch(args.query, CUSTOMER_SEARCH));
  return paginate(ctx, found, args, {
    positionOf: (customer) => ({ id: customer.id, value: customerSortValue(customer, args.sortKey) }),
    view: (customer) => customerView(ctx, customer),
  });
}

function customerSortValue(customer: Customer, sortKey: string | null | undefined): number | string {
  if (sortKey === "UPDATED_AT") return customer.updatedAt.getTime();
  if (sortKey === "CREATED_AT") return customer.createdAt.getTime();
  return sortKey === "NAME" ? `${customer.lastName}, ${customer.firstName}` : 0;
}

function productList(ctx: Ctx, args: ListArgs): Connection {
  const found = [...ctx.shop.catalog.products.values()].filter(compileSearch(args.query, PRODUCT_SEARCH));
  return paginate(ctx, found, args, {
    positionOf: (product) => ({ id: product.id, value: productSortValue(product, args.sortKey) }),
    view: (product) => productView(ctx, product),
  });
}

function productSortValue(product: Product, sortKey: string | null | undefined): number | string {
  switch (sortKey ?? "ID") {
    case "UPDATED_AT":
      return product.updatedAt.getTime();
    case "CREATED_AT":
      return product.createdAt.getTime();
    case "PUBLISHED_AT":
      return product.publishedAt?.getTime() ?? 0;
    case "TITLE":
      return product.title;
    case "VENDOR":
      return product.vendor;
    case "PRODUCT_TYPE":
      return product.productType;
    default:
      return 0;
  }
}

function variantList(ctx: Ctx, args: ListArgs): Connection {
  const found = variantRows(ctx).filter(compileSearch(args.query, VARIANT_SEARCH));
  return paginate(ctx, found, args, {
    positionOf: ({ variant }) => ({ id: variant.id, value: variantSortValue(variant, args.sortKey) }),
    view: ({ product, variant }) => variantView(ctx, product, variant),
  });
}

function variantSortValue(variant: VariantRow["variant"], sortKey: string | null | undefined): number | string {
  if (sortKey === "SKU") return variant.sku ?? "";
  if (sortKey === "TITLE") return variant.title;
  return sortKey === "POSITION" ? variant.position : 0;
}

function inventoryItemList(ctx: Ctx, args: ListArgs): Connection {
  const found = variantRows(ctx).filter(compileSearch(args.query, ITEM_SEARCH));
  return paginate(ctx, found, args, {
    positionOf: ({ variant }) => ({ id: variant.item.id, value: 0 }),
    view: ({ product, variant }) => inventoryItemView(ctx, product, variant),
  });
}

function locationList(ctx: Ctx, args: ListArgs & { readonly includeInactive?: boolean }): Connection {
  const found = [...ctx.shop.catalog.locations.values()]
    .filter((location) => location.isActive || args.includeInactive)
    .filter(compileSearch(args.query, LOCATION_SEARCH));
  return paginate(ctx, found, args, {
    positionOf: (location) => ({ id: location.id, value: args.sortKey === "NAME" ? location.name : 0 }),
    view: (location) => locationView(ctx, location),
  });
}

function fulfillmentOrderList(ctx: Ctx, args: ListArgs & { readonly includeClosed?: boolean }): Connection {
  const spec: Searchable<ReturnType<typeof visibleOrders>[0]> = {
    fields: {
      id: (order) => [order.fulfillmentOrderId],
      updated_at: (order) => [order.updatedAt],
      status: (order) => [fulfillmentOrderStatus(order)],
      assigned_location_id: (order) => [order.locationId],
    },
    text: (order) => [`#${order.number}`],
  };
  const open = visibleOrders(ctx).filter(
    (order) => args.includeClosed || ["IN_PROGRESS", "OPEN"].includes(fulfillmentOrderStatus(order)),
  );
  return paginate(ctx, open.filter(compileSearch(args.query, spec)), args, {
    positionOf: (order) => ({
      id: order.fulfillmentOrderId,
      value: args.sortKey === "UPDATED_AT" ? order.updatedAt.getTime() : 0,
    }),
    view: (order) => fulfillmentOrderView(ctx, order),
  });
}

function bulkList(ctx: Ctx, args: ListArgs): Connection {
  const mine = [...ctx.shop.bulkOperations.values()].filter(
    (bulk: BulkOperation) => bulk.clientId === ctx.install.clientId,
  );
  return paginate(ctx, mine, args, {
    positionOf: (bulk) => ({ id: bulk.id, value: bulk.createdAt.getTime() }),
    view: (bulk) => bulkView(ctx, bulk),
  });
}

function subscriptionList(ctx: Ctx, args: SubscriptionArgs): Connection {
  const wanted = mySubscriptions(ctx).filter((subscription) => {
    if (args.topics && !args.topics.includes(subscription.topicEnum)) return false;
    if (args.uri && args.uri !== subscription.uri) return false;
    return !args.format || args.format === subscription.format;
  });
  return paginate(ctx, wanted, args, {
    positionOf: (subscription) => ({
      id: subscription.id,
      value: args.sortKey === "ID" ? 0 : subscription.createdAt.getTime(),
    }),
    view: subscriptionView,
  });
}

function mySubscriptions(ctx: Ctx): Subscription[] {
  return [...ctx.shop.subscriptions.values()].filter((subscription) => subscription.clientId === ctx.install.clientId);
}

function variantRows(ctx: Ctx): VariantRow[] {
  return [...ctx.shop.catalog.products.values()].flatMap((product) =>
    product.variants.map((variant) => ({ product, variant })),
  );
}

function firstLocation(ctx: Ctx) {
  const [location] = ctx.shop.catalog.locations.values();
  return location ? locationView(ctx, location) : null;
}

function counted<T>(items: readonly T[], args: CountArgs, spec: Searchable<T>) {
  return count(items.filter(compileSearch(args.query, spec)).length, args.limit);
}
