import { z } from "zod";
import { type BaseRecord, baseRecordShape, type RemoteFacts, remoteFactsShape } from "./base.ts";
import { instant, text } from "./shapes.ts";

/** Something that is sold. Prices stand on its variants. */
export interface ProductFields {
  readonly name: string | null;
  /** Plain text. */
  readonly description: string | null;
  readonly descriptionHtml: string | null;
  readonly status: ProductStatus | null;
  readonly statusRemote: string | null;
  readonly type: ProductType | null;
  readonly typeRemote: string | null;
  /** The merchant's own word for the kind of product. */
  readonly categoryLabel: string | null;
  /** Brand or maker. */
  readonly vendor: string | null;
  /** Name in URLs. */
  readonly handle: string | null;
  /** Its page in the online store. */
  readonly url: string | null;
  /** Only when the product has a single, default variant. */
  readonly sku: string | null;
  readonly tags: readonly string[];
  readonly images: readonly ProductImage[];
  /** What variants differ in. */
  readonly options: readonly ProductOption[];
  /** Whether any variant is shipped. */
  readonly shippable: boolean | null;
  readonly inventoryTotal: number | null;
  readonly tracksInventory: boolean | null;
  readonly publishedAt: string | null;
  /** Ids of the variants' records, in the shop's order. */
  readonly variantIds: readonly string[];
}

export interface ProductImage {
  readonly url: string;
  readonly alt: string | null;
}

export interface ProductOption {
  readonly name: string;
  readonly values: readonly string[];
}

const PRODUCT_STATUSES = ["active", "draft", "archived", "unlisted", "unknown"] as const;
const PRODUCT_TYPES = ["good", "service", "gift_card", "other", "unknown"] as const;
export type ProductStatus = (typeof PRODUCT_STATUSES)[number];
export type ProductType = (typeof PRODUCT_TYPES)[number];

export interface NormalizedProduct extends RemoteFacts, ProductFields {}
export interface Product extends BaseRecord, ProductFields {
  readonly object: "product";
}

const fields = {
  name: text,
  description: text,
  descriptionHtml: text,
  status: z.enum(PRODUCT_STATUSES).nullable(),
  statusRemote: text,
  type: z.enum(PRODUCT_TYPES).nullable(),
  typeRemote: text,
  categoryLabel: text,
  vendor: text,
  handle: text,
  url: text,
  sku: text,
  tags: z.array(z.string()),
  images: z.array(z.strictObject({ url: z.string(), alt: text })),
  options: z.array(z.strictObject({ name: z.string(), values: z.array(z.string()) })),
  shippable: z.boolean().nullable(),
  inventoryTotal: z.int().nullable(),
  tracksInventory: z.boolean().nullable(),
  publishedAt: instant.nullable(),
  variantIds: z.array(z.string()),
};

export const NormalizedProduct: z.ZodType<NormalizedProduct> = z.strictObject({ ...remoteFactsShape, ...fields });
export const Product: z.ZodType<Product> = z
  .strictObject({ ...baseRecordShape, ...fields, object: z.literal("product") })
  .meta({ id: "Product" });
