import type { Customer, InventoryLevel, Location, Order, Product, Variant } from "../model.ts";
import { financialStatus, fulfillmentStatus } from "../totals.ts";
import type { Searchable } from "./search.ts";

export const ORDER_SEARCH: Searchable<Order> = {
  fields: {
    id: (order) => [order.id],
    name: (order) => [`#${order.number}`, String(order.number)],
    created_at: (order) => [order.createdAt],
    updated_at: (order) => [order.updatedAt],
    processed_at: (order) => [order.createdAt],
    status: (order) => [...orderStates(order)],
    financial_status: (order) => [financialStatus(order)],
    fulfillment_status: (order) => [FULFILLMENT_WORDS[fulfillmentStatus(order)]],
    customer_id: (order) => [order.customerId],
    email: (order) => [order.email],
    test: (order) => [order.test],
    tag: (order) => order.tags,
    po_number: (order) => [order.poNumber],
    source_name: (order) => [order.sourceName],
    confirmation_number: (order) => [order.confirmationNumber],
    sku: (order) => order.lines.map((line) => line.sku),
    gateway: (order) => [order.gateway],
    discount_code: (order) => [order.discountCode],
  },
  text: (order) => [`#${order.number}`, order.email, order.note, order.confirmationNumber],
};

/** How the filter names what the field calls otherwise. */
const FULFILLMENT_WORDS = {
  FULFILLED: "fulfilled",
  PARTIALLY_FULFILLED: "partial",
  UNFULFILLED: "unfulfilled",
} as const;

function orderStates(order: Order): string[] {
  if (order.cancelledAt) return ["cancelled"];
  return order.closedAt ? ["closed", "not_cancelled"] : ["open", "not_closed", "not_cancelled"];
}

export const PRODUCT_SEARCH: Searchable<Product> = {
  fields: {
    id: (product) => [product.id],
    created_at: (product) => [product.createdAt],
    updated_at: (product) => [product.updatedAt],
    published_at: (product) => [product.publishedAt],
    status: (product) => [product.status],
    vendor: (product) => [product.vendor],
    product_type: (product) => [product.productType],
    handle: (product) => [product.handle],
    title: (product) => [product.title],
    tag: (product) => product.tags,
    sku: (product) => product.variants.map((variant) => variant.sku),
    barcode: (product) => product.variants.map((variant) => variant.barcode),
    gift_card: (product) => [product.isGiftCard],
  },
  text: (product) => [
    product.title,
    product.vendor,
    product.productType,
    ...product.variants.map((variant) => variant.sku),
  ],
};

export interface VariantRow {
  readonly product: Product;
  readonly variant: Variant;
}

export const VARIANT_SEARCH: Searchable<VariantRow> = {
  fields: {
    id: ({ variant }) => [variant.id],
    updated_at: ({ variant }) => [variant.updatedAt],
    sku: ({ variant }) => [variant.sku],
    barcode: ({ variant }) => [variant.barcode],
    title: ({ variant }) => [variant.title],
    product_id: ({ product }) => [product.id],
    product_ids: ({ product }) => [product.id],
    product_status: ({ product }) => [product.status],
    product_type: ({ product }) => [product.productType],
    vendor: ({ product }) => [product.vendor],
    tag: ({ product }) => product.tags,
    taxable: ({ variant }) => [variant.taxable],
  },
  text: ({ product, variant }) => [product.title, variant.title, variant.sku],
};

export const ITEM_SEARCH: Searchable<VariantRow> = {
  fields: {
    id: ({ variant }) => [variant.item.id],
    created_at: ({ variant }) => [variant.item.createdAt],
    updated_at: ({ variant }) => [variant.item.updatedAt],
    sku: ({ variant }) => [variant.sku],
  },
  text: ({ variant }) => [variant.sku],
};

export const LEVEL_SEARCH: Searchable<{ readonly variant: Variant; readonly level: InventoryLevel }> = {
  fields: {
    created_at: ({ level }) => [level.createdAt],
    updated_at: ({ level }) => [level.updatedAt],
    inventory_item_id: ({ variant }) => [variant.item.id],
  },
  text: ({ variant }) => [variant.sku],
};

export const CUSTOMER_SEARCH: Searchable<Customer> = {
  fields: {
    id: (customer) => [customer.id],
    customer_date: (customer) => [customer.createdAt],
    updated_at: (customer) => [customer.updatedAt],
    email: (customer) => [customer.email],
    phone: (customer) => [customer.phone],
    first_name: (customer) => [customer.firstName],
    last_name: (customer) => [customer.lastName],
    state: (customer) => [customer.state],
    tag: (customer) => customer.tags,
    country: (customer) => customer.addresses.map((address) => address.country),
  },
  text: (customer) => [customer.firstName, customer.lastName, customer.email, customer.phone],
};

export const LOCATION_SEARCH: Searchable<Location> = {
  fields: {
    id: (location) => [location.id],
    name: (location) => [location.name],
    active: (location) => [location.isActive],
    created_at: (location) => [location.createdAt],
    city: (location) => [location.address.city],
    country: (location) => [location.address.country],
  },
  text: (location) => [location.name, location.address.city],
};
