import type { GraphQLResolveInfo } from "graphql";
import { createCustomer, type CustomerChanges, deleteCustomer, updateCustomer } from "../../actions/change-customer.ts";
import { updateOrder } from "../../actions/change-order.ts";
import { deleteProduct, type ProductChanges, updateProduct, updateVariant } from "../../actions/change-product.ts";
import { setAvailable } from "../../actions/stock.ts";
import type { Product } from "../../model.ts";
import { fromDecimal } from "../../money.ts";
import { newId } from "../../store.ts";
import type { Ctx } from "../context.ts";
import { idOf, parseGid } from "../gid.ts";
import { idempotentAttempt } from "../idempotency.ts";
import { nodeView } from "../nodes.ts";
import { customerView } from "../views/customer.ts";
import { gid, time } from "../views/parts.ts";
import { inventoryItemView, locationView } from "../views/inventory.ts";
import { productView, variantView } from "../views/product.ts";
import { shopView } from "../views/shop.ts";
import { findOrder } from "./orders.ts";
import { attempt, type UserError, userError } from "./user-errors.ts";

interface CustomerInput extends CustomerChanges {
  readonly id?: string | null;
}

interface ProductInput extends ProductChanges {
  readonly id?: string | null;
}

interface VariantInput {
  readonly id?: string | null;
  readonly price?: string | null;
  readonly compareAtPrice?: string | null;
  readonly barcode?: string | null;
  readonly taxable?: boolean;
}

interface SetQuantitiesInput {
  readonly name: string;
  readonly reason: string;
  readonly referenceDocumentUri?: string | null;
  readonly quantities: readonly {
    readonly inventoryItemId: string;
    readonly locationId: string;
    readonly quantity: number;
    readonly changeFromQuantity?: number | null;
  }[];
}

export function catalogMutations(ctx: Ctx) {
  return {
    customerCreate: (args: { readonly input: CustomerInput }) => customerCreate(ctx, args.input),
    customerUpdate: (args: { readonly input: CustomerInput }) => customerUpdate(ctx, args.input),
    customerDelete: (args: { readonly input: { readonly id: string } }) => customerDelete(ctx, args.input.id),
    productUpdate: (args: {
      readonly product?: ProductInput;
      readonly identifier?: { readonly id?: string; readonly handle?: string };
    }) => productUpdate(ctx, args.product ?? {}, args.identifier ?? {}),
    productDelete: (args: { readonly input: { readonly id: string } }) => productDelete(ctx, args.input.id),
    productVariantsBulkUpdate: (args: { readonly productId: string; readonly variants: readonly VariantInput[] }) =>
      variantsUpdate(ctx, args.productId, args.variants),
    inventorySetQuantities: (args: { readonly input: SetQuantitiesInput }, _ctx: Ctx, info: GraphQLResolveInfo) =>
      setQuantities(ctx, args.input, info),
    tagsAdd: (args: { readonly id: string; readonly tags: readonly string[] }) => tagsAdd(ctx, args.id, args.tags),
  };
}

function customerCreate(ctx: Ctx, input: CustomerInput) {
  const done = attempt(() => createCustomer(ctx.store, input));
  if ("error" in done) return { customer: null, userErrors: [{ ...done.error, field: ["email"] }] };
  return { customer: customerView(ctx, done.ok), userErrors: [] };
}

function customerUpdate(ctx: Ctx, input: CustomerInput) {
  const customer = ctx.shop.catalog.customers.get(idOf("Customer", input.id ?? "") ?? 0n);
  if (!customer) return { customer: null, userErrors: [userError("Customer does not exist", ["id"])] };
  const done = attempt(() => updateCustomer(ctx.store, customer, input));
  if ("error" in done) return { customer: null, userErrors: [{ ...done.error, field: ["email"] }] };
  return { customer: customerView(ctx, customer), userErrors: [] };
}

function customerDelete(ctx: Ctx, customerGid: string) {
  const customer = ctx.shop.catalog.customers.get(idOf("Customer", customerGid) ?? 0n);
  const shop = shopView(ctx);
  if (!customer) return { deletedCustomerId: null, shop, userErrors: [userError("Customer can't be found", ["id"])] };
  const done = attempt(() => deleteCustomer(ctx.store, customer));
  return "error" in done
    ? { deletedCustomerId: null, shop, userErrors: [{ ...done.error, field: ["id"] }] }
    : { deletedCustomerId: gid("Customer", customer.id), shop, userErrors: [] };
}

function productUpdate(ctx: Ctx, input: ProductInput, identifier: { readonly id?: string; readonly handle?: string }) {
  const product = findProduct(ctx, identifier.id ?? input.id ?? "", identifier.handle);
  if (!product) return { product: null, userErrors: [userError("Product does not exist", ["id"])] };
  if (input.title?.trim() === "") return { product: null, userErrors: [userError("Title can't be blank", ["title"])] };
  updateProduct(ctx.store, product, input);
  return { product: productView(ctx, product), userErrors: [] };
}

function productDelete(ctx: Ctx, productGid: string) {
  const product = findProduct(ctx, productGid);
  const shop = shopView(ctx);
  if (!product) return { deletedProductId: null, shop, userErrors: [userError("Product does not exist", ["id"])] };
  deleteProduct(ctx.store, product);
  return { deletedProductId: gid("Product", product.id), shop, userErrors: [] };
}

function variantsUpdate(ctx: Ctx, productGid: string, inputs: readonly VariantInput[]) {
  const product = findProduct(ctx, productGid);
  const { currency } = ctx.shop.catalog.profile;
  if (!product) {
    return {
      product: null,
      productVariants: null,
      userErrors: [userError("Product does not exist", ["productId"], "PRODUCT_DOES_NOT_EXIST")],
    };
  }
  const errors: UserError[] = [];
  const changed = inputs.flatMap((input, index) => {
    const variant = product.variants.find((candidate) => candidate.id === idOf("ProductVariant", input.id ?? ""));
    const price = input.price ? fromDecimal(input.price, currency) : null;
    if (!variant) {
      errors.push(
        userError(
          "Product variant does not exist",
          ["variants", String(index), "id"],
          "PRODUCT_VARIANT_DOES_NOT_EXIST",
        ),
      );
      return [];
    }
    const compareAt =
      input.compareAtPrice === undefined
        ? {}
        : { compareAtPrice: input.compareAtPrice ? fromDecimal(input.compareAtPrice, currency) : null };
    const { barcode, taxable } = input;
    updateVariant(ctx.store, product, variant, {
      ...(price === null ? {} : { price }),
      ...compareAt,
      ...(barcode === undefined ? {} : { barcode }),
      ...(taxable === undefined ? {} : { taxable }),
    });
    return [variant];
  });
  return {
    product: productView(ctx, product),
    productVariants: changed.map((variant) => variantView(ctx, product, variant)),
    userErrors: errors,
  };
}

function setQuantities(ctx: Ctx, input: SetQuantitiesInput, info: GraphQLResolveInfo) {
  const refuse = (message: string, code: string, index = 0) => ({
    inventoryAdjustmentGroup: null,
    userErrors: [userError(message, ["input", "quantities", String(index)], code)],
  });
  const key = idempotentAttempt(ctx, info, input);
  if (key.kind === "mismatch") {
    return refuse(
      "The same idempotency key cannot be used with different operation parameters.",
      "IDEMPOTENCY_KEY_PARAMETER_MISMATCH",
    );
  }
  const rows = input.quantities.map((wanted) => ({
    wanted,
    row: findLevel(ctx, wanted.inventoryItemId, wanted.locationId),
  }));
  for (const [index, { wanted, row }] of rows.entries()) {
    if (!row)
      return refuse("The specified inventory item or location could not be found.", "INVALID_INVENTORY_ITEM", index);
    const stale = typeof wanted.changeFromQuantity === "number" && wanted.changeFromQuantity !== row.level.available;
    if (stale && key.kind === "fresh")
      return refuse(
        "The changeFromQuantity argument no longer matches the persisted quantity.",
        "CHANGE_FROM_QUANTITY_STALE",
        index,
      );
  }
  const changes = rows.flatMap(({ wanted, row }) => {
    if (!row) return [];
    const delta = key.kind === "replay" ? 0 : wanted.quantity - row.level.available;
    if (delta !== 0) setAvailable(ctx.store, row.variant, row.level, wanted.quantity);
    const location = ctx.shop.catalog.locations.get(row.level.locationId);
    return [
      {
        name: input.name,
        delta,
        quantityAfterChange: row.level.available,
        ledgerDocumentUri: null,
        item: () => inventoryItemView(ctx, row.product, row.variant),
        location: () => (location ? locationView(ctx, location) : null),
      },
    ];
  });
  const groupId = key.kind === "replay" ? key.resultId : newId(ctx.store);
  if (key.kind === "fresh") key.remember(groupId);
  const group = {
    __typename: "InventoryAdjustmentGroup",
    id: gid("InventoryAdjustmentGroup", groupId),
    app: null,
    createdAt: time(ctx.store.now()),
    reason: input.reason,
    referenceDocumentUri: input.referenceDocumentUri ?? null,
    changes,
  };
  return { inventoryAdjustmentGroup: group, userErrors: [] };
}

function tagsAdd(ctx: Ctx, nodeGid: string, tags: readonly string[]) {
  const merged = (held: readonly string[]) => [...new Set([...held, ...tags])];
  const id = parseGid(nodeGid)?.id ?? 0n;
  const order = findOrder(ctx, nodeGid);
  const product = findProduct(ctx, nodeGid);
  const customer = nodeGid.includes("/Customer/") ? ctx.shop.catalog.customers.get(id) : undefined;
  if (order) updateOrder(ctx.store, order, { tags: merged(order.tags) });
  else if (product) updateProduct(ctx.store, product, { tags: merged(product.tags) });
  else if (customer) updateCustomer(ctx.store, customer, { tags: merged(customer.tags) });
  else return { node: null, userErrors: [userError("Resource does not exist", ["id"])] };
  return { node: nodeView(ctx, nodeGid), userErrors: [] };
}

function findProduct(ctx: Ctx, productGid: string, handle?: string): Product | undefined {
  const { products } = ctx.shop.catalog;
  if (handle !== undefined) return [...products.values()].find((product) => product.handle === handle);
  const id = idOf("Product", productGid);
  return id === null ? undefined : products.get(id);
}

function findLevel(ctx: Ctx, itemGid: string, locationGid: string) {
  const itemId = idOf("InventoryItem", itemGid);
  const locationId = idOf("Location", locationGid);
  for (const product of ctx.shop.catalog.products.values()) {
    const variant = product.variants.find((candidate) => candidate.item.id === itemId);
    const level = variant?.item.levels.find((candidate) => candidate.locationId === locationId);
    if (variant && level) return { product, variant, level };
  }
  return null;
}
