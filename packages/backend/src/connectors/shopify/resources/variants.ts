import { currencyExponent, type NormalizedRecord, parseDecimal } from "@patchbay/shared";
import { z } from "zod";
import { defineResource, type NormalizeContext } from "../../kit/index.ts";
import { numericId } from "../api.ts";
import { adminUrl, Amount, Beside, Gid, Instant, minorUnits, Money, remoteFacts, textOrNull, word } from "../raw.ts";

/** A variant as it stands in its product, with the product's id and shop put beside it. */
export const RawVariant = z.looseObject({
  ...Beside,
  productId: Gid,
  id: Gid,
  title: z.string(),
  displayName: z.string(),
  sku: z.string().nullable(),
  barcode: z.string().nullable(),
  position: z.int(),
  /** Decimals in the shop's currency, which stands beside. */
  price: Amount,
  compareAtPrice: Amount.nullable(),
  taxable: z.boolean(),
  availableForSale: z.boolean(),
  inventoryPolicy: z.string(),
  inventoryQuantity: z.int().nullable(),
  selectedOptions: z.array(z.looseObject({ name: z.string(), value: z.string() })),
  inventoryItem: z.looseObject({
    id: Gid,
    requiresShipping: z.boolean(),
    unitCost: Money.nullable(),
    measurement: z.looseObject({ weight: z.looseObject({ value: z.number(), unit: z.string() }).nullable() }),
  }),
  createdAt: Instant,
  updatedAt: Instant,
});

const UNITS = { GRAMS: "g", KILOGRAMS: "kg", OUNCES: "oz", POUNDS: "lb" } as const;
const POLICIES = { DENY: "deny", CONTINUE: "continue" } as const;

/** Children of products: variants have no order by change of their own. */
export const variants = defineResource({
  name: "variants",
  model: "variant",
  childOf: "products",
  raw: RawVariant,
  projectionVersion: 1,
  changes: "full_scan",
  deletions: "diff_by_parent",
  overlapSeconds: 0,
  list: null,
  batchRead: null,
  completeChildren: [],
  strictVersion: () => null,
  normalize: (raw, context) => [normalizeVariant(raw, context)],
});

export function normalizeVariant(raw: z.output<typeof RawVariant>, context: NormalizeContext): NormalizedRecord {
  const currency = raw.shop.currencyCode;
  const { unitCost, measurement } = raw.inventoryItem;
  const productId = numericId(raw.productId);
  return {
    model: "variant",
    data: {
      ...remoteFacts(raw, adminUrl(raw.shop, `/products/${productId}/variants/${numericId(raw.id)}`)),
      productId: context.id("product", productId),
      title: raw.title,
      displayName: raw.displayName,
      sku: textOrNull(raw.sku),
      barcode: textOrNull(raw.barcode),
      position: raw.position,
      currency,
      currencyExponent: currencyExponent(currency),
      priceAmount: parseDecimal(raw.price, currency).amount,
      compareAtAmount: raw.compareAtPrice === null ? null : parseDecimal(raw.compareAtPrice, currency).amount,
      // A record has one currency: a cost in another one cannot stand in it.
      costAmount: unitCost?.currencyCode === currency ? minorUnits(unitCost) : null,
      taxable: raw.taxable,
      options: raw.selectedOptions.map(({ name, value }) => ({ name, value })),
      weight: measurement.weight && {
        value: measurement.weight.value,
        unit: word(UNITS, measurement.weight.unit),
        unitRemote: measurement.weight.unit,
      },
      requiresShipping: raw.inventoryItem.requiresShipping,
      inventoryItemRemoteId: numericId(raw.inventoryItem.id),
      inventoryQuantity: raw.inventoryQuantity,
      inventoryPolicy: word(POLICIES, raw.inventoryPolicy),
      inventoryPolicyRemote: raw.inventoryPolicy,
      availableForSale: raw.availableForSale,
    },
  };
}
