import { z } from "zod";
import type { NormalizedProduct } from "@patchbay/shared";
import { defineResource, type NormalizeContext } from "../../kit/index.ts";
import { numericId } from "../api.ts";
import { completeConnections, readByIds, updatedList } from "../lists.ts";
import { EXPANSION, PRODUCT_VARIANTS, PRODUCTS, PRODUCTS_BY_ID, PRODUCTS_COUNT } from "../queries.ts";
import { adminUrl, Beside, connectionOf, Gid, Instant, instantOrNull, remoteFacts, textOrNull, word } from "../raw.ts";
import { normalizeVariant, RawVariant } from "./variants.ts";

const RawProduct = z.looseObject({
  ...Beside,
  id: Gid,
  title: z.string(),
  handle: z.string(),
  description: z.string(),
  descriptionHtml: z.string(),
  vendor: z.string(),
  productType: z.string(),
  status: z.string(),
  tags: z.array(z.string()),
  isGiftCard: z.boolean(),
  hasOnlyDefaultVariant: z.boolean(),
  totalInventory: z.int(),
  tracksInventory: z.boolean(),
  onlineStoreUrl: z.string().nullable(),
  publishedAt: Instant.nullable(),
  options: z.array(z.looseObject({ name: z.string(), optionValues: z.array(z.looseObject({ name: z.string() })) })),
  featuredMedia: z
    .looseObject({
      alt: z.string().nullable(),
      preview: z.looseObject({ image: z.looseObject({ url: z.string() }).nullable() }).nullable(),
    })
    .nullable(),
  variants: connectionOf(RawVariant.omit({ productId: true, shop: true, denied: true })),
  createdAt: Instant,
  updatedAt: Instant,
});
type RawProduct = z.output<typeof RawProduct>;

const STATUSES = { ACTIVE: "active", DRAFT: "draft", ARCHIVED: "archived", UNLISTED: "unlisted" } as const;

const listing = {
  type: "Product",
  root: "products",
  document: PRODUCTS,
  pageSize: { initial: 50, min: 1, max: 100 },
  itemCost: 3,
  count: { document: PRODUCTS_COUNT, root: "productsCount" },
  expansions: (item: unknown) =>
    completeConnections(item, [{ document: PRODUCT_VARIANTS, field: "variants", pageSize: EXPANSION.variants }]),
};

/** Products with their variants: a variant's own time moves without the product's list knowing, so they are one. */
export const products = defineResource({
  name: "products",
  model: "product",
  childOf: null,
  raw: RawProduct,
  projectionVersion: 1,
  changes: "updated_since",
  deletions: "webhook",
  // A product's time moves before its variants' do.
  overlapSeconds: 60,
  list: updatedList(listing),
  batchRead: readByIds(listing, PRODUCTS_BY_ID, 20),
  completeChildren: ["variant"],
  strictVersion: () => null,
  normalize: (raw, context) => [
    { model: "product", data: normalizeProduct(raw, context) },
    ...raw.variants.nodes.map((variant) =>
      normalizeVariant({ ...variant, productId: raw.id, shop: raw.shop }, context),
    ),
  ],
});

function normalizeProduct(raw: RawProduct, context: NormalizeContext): NormalizedProduct {
  const variants = raw.variants.nodes;
  const image = raw.featuredMedia?.preview?.image;
  return {
    ...remoteFacts(raw, adminUrl(raw.shop, `/products/${numericId(raw.id)}`)),
    name: raw.title,
    description: textOrNull(raw.description),
    descriptionHtml: textOrNull(raw.descriptionHtml),
    status: word(STATUSES, raw.status),
    statusRemote: raw.status,
    type: raw.isGiftCard ? "gift_card" : "good",
    typeRemote: null,
    categoryLabel: textOrNull(raw.productType),
    vendor: textOrNull(raw.vendor),
    handle: raw.handle,
    url: raw.onlineStoreUrl,
    sku: raw.hasOnlyDefaultVariant ? textOrNull(variants[0]?.sku ?? null) : null,
    tags: raw.tags,
    images: image ? [{ url: image.url, alt: raw.featuredMedia?.alt ?? null }] : [],
    options: raw.options.map((option) => ({
      name: option.name,
      values: option.optionValues.map((value) => value.name),
    })),
    shippable: variants.some((variant) => variant.inventoryItem.requiresShipping),
    inventoryTotal: raw.totalInventory,
    tracksInventory: raw.tracksInventory,
    publishedAt: instantOrNull(raw.publishedAt),
    variantIds: variants.map((variant) => context.id("variant", numericId(variant.id))),
  };
}
