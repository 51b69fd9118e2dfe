import { z } from "zod";
import { type BaseRecord, baseRecordShape, type RemoteFacts, remoteFactsShape } from "./base.ts";
import { currencyCode, exponent, minorUnits, text } from "./shapes.ts";

/** One buyable form of a product, such as "small, blue". */
export interface VariantFields {
  /** The product's record. */
  readonly productId: string;
  readonly title: string | null;
  /** With the product's name in front. */
  readonly displayName: string | null;
  readonly sku: string | null;
  readonly barcode: string | null;
  /** 1-based place among the product's variants. */
  readonly position: number | null;
  readonly currency: string | null;
  readonly currencyExponent: number | null;
  readonly priceAmount: number | null;
  /** The price before a markdown. */
  readonly compareAtAmount: number | null;
  /** What the merchant pays for one. */
  readonly costAmount: number | null;
  readonly taxable: boolean | null;
  readonly options: readonly VariantOption[];
  readonly weight: Weight | null;
  readonly requiresShipping: boolean | null;
  readonly inventoryItemRemoteId: string | null;
  readonly inventoryQuantity: number | null;
  /** Whether it can be bought when none is left. */
  readonly inventoryPolicy: InventoryPolicy | null;
  readonly inventoryPolicyRemote: string | null;
  readonly availableForSale: boolean | null;
}

export interface VariantOption {
  readonly name: string;
  readonly value: string;
}

export interface Weight {
  readonly value: number;
  readonly unit: "g" | "kg" | "oz" | "lb" | "unknown";
  readonly unitRemote: string | null;
}

const INVENTORY_POLICIES = ["deny", "continue", "unknown"] as const;
export type InventoryPolicy = (typeof INVENTORY_POLICIES)[number];

export interface NormalizedVariant extends RemoteFacts, VariantFields {}
export interface Variant extends BaseRecord, VariantFields {
  readonly object: "variant";
}

const fields = {
  productId: z.string(),
  title: text,
  displayName: text,
  sku: text,
  barcode: text,
  position: z.int().nullable(),
  currency: currencyCode.nullable(),
  currencyExponent: exponent.nullable(),
  priceAmount: minorUnits.nullable(),
  compareAtAmount: minorUnits.nullable(),
  costAmount: minorUnits.nullable(),
  taxable: z.boolean().nullable(),
  options: z.array(z.strictObject({ name: z.string(), value: z.string() })),
  weight: z
    .strictObject({ value: z.number(), unit: z.enum(["g", "kg", "oz", "lb", "unknown"]), unitRemote: text })
    .nullable(),
  requiresShipping: z.boolean().nullable(),
  inventoryItemRemoteId: text,
  inventoryQuantity: z.int().nullable(),
  inventoryPolicy: z.enum(INVENTORY_POLICIES).nullable(),
  inventoryPolicyRemote: text,
  availableForSale: z.boolean().nullable(),
};

export const NormalizedVariant: z.ZodType<NormalizedVariant> = z.strictObject({ ...remoteFactsShape, ...fields });
export const Variant: z.ZodType<Variant> = z
  .strictObject({ ...baseRecordShape, ...fields, object: z.literal("variant") })
  .meta({ id: "Variant" });
