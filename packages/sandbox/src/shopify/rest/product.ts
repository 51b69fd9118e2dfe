import type { Json } from "../json.ts";
import type { Catalog, InventoryLevel, Product, Variant } from "../model.ts";
import { toDecimal } from "../money.ts";
import { gid, restTime } from "./parts.ts";

/** The body of `products/create` and `products/update`. */
export function productBody(product: Product, catalog: Catalog): Json {
  const image = imageBody(product);
  return {
    admin_graphql_api_id: gid("Product", product.id),
    body_html: product.descriptionHtml,
    created_at: restTime(product.createdAt),
    handle: product.handle,
    id: product.id,
    product_type: product.productType,
    published_at: restTime(product.publishedAt),
    template_suffix: null,
    title: product.title,
    updated_at: restTime(product.updatedAt),
    vendor: product.vendor,
    status: product.status.toLowerCase(),
    published_scope: "web",
    tags: product.tags.join(", "),
    variants: product.variants.map((variant) => variantBody(product, variant, catalog.profile.currency)),
    options: product.options.map((option, index) => ({
      name: option.name,
      id: option.id,
      product_id: product.id,
      position: index + 1,
      values: option.values.map((value) => value.name),
    })),
    images: [image],
    image,
    media: [],
    variant_gids: product.variants.map((variant) => ({
      admin_graphql_api_id: gid("ProductVariant", variant.id),
      updated_at: variant.updatedAt.toISOString(),
    })),
    has_variants_that_requires_components: false,
    category: null,
  };
}

/** The body of `inventory_levels/update`. */
export function inventoryLevelBody(variant: Variant, level: InventoryLevel): Json {
  return {
    inventory_item_id: variant.item.id,
    location_id: level.locationId,
    available: level.available,
    updated_at: restTime(level.updatedAt),
    admin_graphql_api_id: `gid://shopify/InventoryLevel/${level.locationId}?inventory_item_id=${variant.item.id}`,
  };
}

function variantBody(product: Product, variant: Variant, currency: string): Json {
  const quantity = variant.item.levels.reduce((sum, level) => sum + level.available, 0);
  return {
    admin_graphql_api_id: gid("ProductVariant", variant.id),
    barcode: variant.barcode,
    compare_at_price: variant.compareAtPrice === null ? null : toDecimal(variant.compareAtPrice, currency),
    created_at: restTime(variant.createdAt),
    id: variant.id,
    inventory_policy: variant.inventoryPolicy.toLowerCase(),
    position: variant.position,
    price: toDecimal(variant.price, currency),
    product_id: product.id,
    sku: variant.sku,
    taxable: variant.taxable,
    title: variant.title,
    updated_at: restTime(variant.updatedAt),
    option1: variant.selectedOptions[0]?.value ?? null,
    option2: variant.selectedOptions[1]?.value ?? null,
    option3: variant.selectedOptions[2]?.value ?? null,
    image_id: null,
    inventory_item_id: variant.item.id,
    inventory_quantity: quantity,
    old_inventory_quantity: quantity,
  };
}

function imageBody(product: Product): Json {
  return {
    id: product.mediaId,
    alt: product.title,
    position: 1,
    product_id: product.id,
    created_at: restTime(product.createdAt),
    updated_at: restTime(product.createdAt),
    admin_graphql_api_id: gid("ProductImage", product.mediaId),
    width: 1200,
    height: 1200,
    src: imageUrl(product),
    variant_ids: [],
  };
}

export function imageUrl(product: Product): string {
  return `https://cdn.shopify.com/s/files/1/sandbox/${product.handle}.png`;
}
