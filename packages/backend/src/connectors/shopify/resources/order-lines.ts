import type { OrderLine } from "@patchbay/shared";
import { z } from "zod";
import type { NormalizeContext } from "../../kit/index.ts";
import { numericId } from "../api.ts";
import { Gid, shopAmount, ShopMoney } from "../raw.ts";

export const RawLine = z.looseObject({
  id: Gid,
  title: z.string(),
  variantTitle: z.string().nullable(),
  name: z.string(),
  sku: z.string().nullable(),
  vendor: z.string().nullable(),
  quantity: z.int(),
  currentQuantity: z.int(),
  unfulfilledQuantity: z.int(),
  taxable: z.boolean(),
  requiresShipping: z.boolean(),
  isGiftCard: z.boolean(),
  // `null` for custom positions and for what was deleted since.
  product: z.looseObject({ id: Gid }).nullable(),
  variant: z.looseObject({ id: Gid }).nullable(),
  originalUnitPriceSet: ShopMoney,
  discountedUnitPriceSet: ShopMoney,
  originalTotalSet: ShopMoney,
  discountedTotalSet: ShopMoney,
  discountAllocations: z.array(z.looseObject({ allocatedAmountSet: ShopMoney })),
  taxLines: z.array(z.looseObject({ priceSet: ShopMoney })),
  customAttributes: z.array(z.looseObject({ key: z.string(), value: z.string().nullable() })),
});
type RawLine = z.output<typeof RawLine>;

export function normalizeLine(raw: RawLine, context: NormalizeContext): OrderLine {
  const amounts = lineAmounts(raw);
  return {
    remoteId: numericId(raw.id),
    productId: raw.product && context.id("product", numericId(raw.product.id)),
    variantId: raw.variant && context.id("variant", numericId(raw.variant.id)),
    title: raw.title,
    variantTitle: raw.variantTitle,
    name: raw.name,
    sku: raw.sku,
    vendor: raw.vendor,
    quantity: raw.quantity,
    currentQuantity: raw.currentQuantity,
    fulfillableQuantity: raw.unfulfilledQuantity,
    unitAmount: shopAmount(raw.originalUnitPriceSet),
    discountedUnitAmount: shopAmount(raw.discountedUnitPriceSet),
    ...amounts,
    taxAmount: sum(raw.taxLines.map((line) => shopAmount(line.priceSet))),
    taxable: raw.taxable,
    requiresShipping: raw.requiresShipping,
    isGiftCard: raw.isGiftCard,
    attributes: attributesOf(raw.customAttributes),
  };
}

/**
 * `discountedTotalSet` knows the discounts of the line only; `discountAllocations` has those and the line's share of
 * discounts on the order. What the allocations hold beyond the line's own is the order's, and comes off as well.
 */
function lineAmounts(raw: RawLine): Pick<OrderLine, "subtotalAmount" | "discountAmount" | "totalAmount"> {
  const subtotalAmount = shopAmount(raw.originalTotalSet);
  const afterLineDiscounts = shopAmount(raw.discountedTotalSet);
  const allocated = sum(raw.discountAllocations.map((allocation) => shopAmount(allocation.allocatedAmountSet)));
  const orderDiscounts = Math.max(0, allocated - (subtotalAmount - afterLineDiscounts));
  const totalAmount = afterLineDiscounts - orderDiscounts;
  return { subtotalAmount, discountAmount: subtotalAmount - totalAmount, totalAmount };
}

/** Free fields as a record; of a key that comes twice the last counts. */
export function attributesOf(attributes: RawLine["customAttributes"]): Record<string, string | null> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, value]));
}

function sum(amounts: readonly number[]): number {
  return amounts.reduce((total, amount) => total + amount, 0);
}
