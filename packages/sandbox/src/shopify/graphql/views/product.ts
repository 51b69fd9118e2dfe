import type { Product, Variant } from "../../model.ts";
import { toDecimal } from "../../money.ts";
import { paginate, paginateInOrder, type PageArgs } from "../connections.ts";
import type { Ctx } from "../context.ts";
import { imageView, mediaView } from "./image.ts";
import { inventoryItemView } from "./inventory.ts";
import { count, gid, money, time } from "./parts.ts";

export function productView(ctx: Ctx, product: Product) {
  const { domain, currency } = ctx.shop.catalog.profile;
  const prices = product.variants.map((variant) => variant.price);
  const description = product.descriptionHtml.replaceAll(/<[^>]*>/g, "");
  return {
    __typename: "Product",
    id: gid("Product", product.id),
    legacyResourceId: product.id.toString(),
    defaultCursor: Buffer.from(product.id.toString()).toString("base64"),
    title: product.title,
    handle: product.handle,
    description: () => description,
    descriptionHtml: product.descriptionHtml,
    vendor: product.vendor,
    productType: product.productType,
    status: product.status,
    tags: [...product.tags].sort(),
    isGiftCard: product.isGiftCard,
    giftCardTemplateSuffix: null,
    templateSuffix: null,
    combinedListingRole: null,
    requiresSellingPlan: false,
    hasOnlyDefaultVariant: product.variants.length === 1 && product.variants[0]?.title === "Default Title",
    hasOutOfStockVariants: product.variants.some((variant) => variant.item.tracked && available(variant) <= 0),
    hasVariantsThatRequiresComponents: false,
    tracksInventory: product.variants.some((variant) => variant.item.tracked),
    totalInventory: product.variants.reduce((sum, variant) => sum + available(variant), 0),
    options: () => product.options.map(optionView),
    featuredMedia: () => mediaView(product),
    media: (args: PageArgs) =>
      paginate(ctx, [product], args, { positionOf: () => ({ value: 0, id: product.mediaId }), view: mediaView }),
    mediaCount: count(1, null),
    priceRangeV2: {
      minVariantPrice: money(Math.min(...prices), currency),
      maxVariantPrice: money(Math.max(...prices), currency),
    },
    seo: { title: null, description: null },
    variants: (args: PageArgs) =>
      paginateInOrder(ctx, product.variants, args, (variant) => variantView(ctx, product, variant)),
    variantsCount: count(product.variants.length, null),
    onlineStoreUrl: product.publishedAt ? `https://${domain}/products/${product.handle}` : null,
    onlineStorePreviewUrl: `https://${domain}/products/${product.handle}`,
    publishedAt: time(product.publishedAt),
    createdAt: time(product.createdAt),
    updatedAt: time(product.updatedAt),
  };
}

export function variantView(ctx: Ctx, product: Product, variant: Variant) {
  const { currency } = ctx.shop.catalog.profile;
  return {
    __typename: "ProductVariant",
    id: gid("ProductVariant", variant.id),
    legacyResourceId: variant.id.toString(),
    defaultCursor: Buffer.from(variant.id.toString()).toString("base64"),
    title: variant.title,
    displayName: `${product.title} - ${variant.title}`,
    sku: variant.sku,
    barcode: variant.barcode,
    position: variant.position,
    price: toDecimal(variant.price, currency),
    compareAtPrice: variant.compareAtPrice === null ? null : toDecimal(variant.compareAtPrice, currency),
    taxable: variant.taxable,
    availableForSale: !variant.item.tracked || variant.inventoryPolicy === "CONTINUE" || available(variant) > 0,
    inventoryPolicy: variant.inventoryPolicy,
    inventoryQuantity: available(variant),
    sellableOnlineQuantity: available(variant),
    requiresComponents: false,
    showUnitPrice: false,
    unitPrice: null,
    selectedOptions: () => variant.selectedOptions.map((selected) => selectedOptionView(product, selected)),
    product: () => productView(ctx, product),
    inventoryItem: () => inventoryItemView(ctx, product, variant),
    media: (args: PageArgs) =>
      paginate(ctx, [product], args, { positionOf: () => ({ value: 0, id: product.mediaId }), view: mediaView }),
    image: () => imageView(product),
    createdAt: time(variant.createdAt),
    updatedAt: time(variant.updatedAt),
  };
}

export function available(variant: Variant): number {
  return variant.item.levels.reduce((sum, level) => sum + level.available, 0);
}

function selectedOptionView(product: Product, selected: Variant["selectedOptions"][0]) {
  const value = product.options
    .find((option) => option.name === selected.name)
    ?.values.find((v) => v.name === selected.value);
  return { name: selected.name, value: selected.value, optionValue: () => (value ? optionValueView(value) : null) };
}

function optionView(option: Product["options"][0], index: number) {
  return {
    __typename: "ProductOption",
    id: gid("ProductOption", option.id),
    name: option.name,
    position: index + 1,
    values: option.values.map((value) => value.name),
    optionValues: option.values.map(optionValueView),
  };
}

function optionValueView(value: Product["options"][0]["values"][0]) {
  return {
    __typename: "ProductOptionValue",
    id: gid("ProductOptionValue", value.id),
    name: value.name,
    hasVariants: true,
    linkedMetafieldValue: null,
  };
}
