import { z } from "zod";
import { minorUnits, text } from "./shapes.ts";

/**
 * One position of an order, as ordered; amounts are in the order's `currency`. What an edit took out of the order stays
 * here with a lower `currentQuantity`, so that lines of edited orders may add up to more than the order.
 */
export interface OrderLine {
  /** The provider's own id. Refund lines name it. */
  readonly remoteId: string;
  /** The product's record; `null` for custom positions and deleted products. */
  readonly productId: string | null;
  readonly variantId: string | null;
  readonly title: string | null;
  readonly variantTitle: string | null;
  /** Title and variant in one. */
  readonly name: string | null;
  readonly sku: string | null;
  readonly vendor: string | null;
  /** As ordered. */
  readonly quantity: number;
  /** After edits, returns and removals. */
  readonly currentQuantity: number | null;
  /** Not yet fulfilled. */
  readonly fulfillableQuantity: number | null;
  /** Price of one before discounts. */
  readonly unitAmount: number | null;
  /** Price of one after discounts of this line; rounded, so it may not multiply up to `totalAmount`. */
  readonly discountedUnitAmount: number | null;
  /** `quantity` × unit price, before discounts. */
  readonly subtotalAmount: number | null;
  /** All discounts on this line: its own, and its share of the order's. */
  readonly discountAmount: number | null;
  /** `subtotalAmount` − `discountAmount`. Holds the tax when the order's `taxesIncluded` says so. */
  readonly totalAmount: number | null;
  readonly taxAmount: number | null;
  readonly taxable: boolean | null;
  readonly requiresShipping: boolean | null;
  readonly isGiftCard: boolean | null;
  /** Free fields that the buyer or the shop's theme added. */
  readonly attributes: Readonly<Record<string, string | null>>;
}

export const OrderLine: z.ZodType<OrderLine> = z
  .strictObject({
    remoteId: z.string(),
    productId: text,
    variantId: text,
    title: text,
    variantTitle: text,
    name: text,
    sku: text,
    vendor: text,
    quantity: z.int(),
    currentQuantity: z.int().nullable(),
    fulfillableQuantity: z.int().nullable(),
    unitAmount: minorUnits.nullable(),
    discountedUnitAmount: minorUnits.nullable(),
    subtotalAmount: minorUnits.nullable(),
    discountAmount: minorUnits.nullable(),
    totalAmount: minorUnits.nullable(),
    taxAmount: minorUnits.nullable(),
    taxable: z.boolean().nullable(),
    requiresShipping: z.boolean().nullable(),
    isGiftCard: z.boolean().nullable(),
    attributes: z.record(z.string(), z.string().nullable()),
  })
  .meta({ id: "OrderLine" });
