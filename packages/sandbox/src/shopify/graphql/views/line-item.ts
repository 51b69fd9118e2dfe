import type { Bag, LineItem, Order } from "../../model.ts";
import { isZero, scale, subtract, ZERO } from "../../money.ts";
import { lineName } from "../../rest/line.ts";
import { currentQuantity, lineSubtotal, lineTax, refundedQuantity, unfulfilledQuantity } from "../../totals.ts";
import type { Ctx } from "../context.ts";
import { imageView } from "./image.ts";
import { gid, moneyBag } from "./parts.ts";
import { productView, variantView } from "./product.ts";

export function lineItemView(ctx: Ctx, order: Order, line: LineItem) {
  const product = line.productId === null ? undefined : ctx.shop.catalog.products.get(line.productId);
  const variant = product?.variants.find((candidate) => candidate.id === line.variantId);
  const whole = scale(line.unit, line.quantity);
  const open = unfulfilledQuantity(order, line);
  const afterDiscounts = line.quantity === 0 ? ZERO : scale(lineSubtotal(line, line.quantity), 1 / line.quantity);
  return {
    __typename: "LineItem",
    id: gid("LineItem", line.id),
    name: lineName(line),
    title: line.title,
    variantTitle: line.variantTitle,
    sku: line.sku,
    vendor: line.vendor,
    quantity: line.quantity,
    currentQuantity: currentQuantity(order, line),
    refundableQuantity: line.quantity - line.removedByEdit - refundedQuantity(order, line),
    unfulfilledQuantity: open,
    nonFulfillableQuantity: 0,
    requiresShipping: line.requiresShipping,
    restockable: true,
    taxable: line.taxable,
    isGiftCard: line.isGiftCard,
    merchantEditable: true,
    product: () => (product ? productView(ctx, product) : null),
    variant: () => (product && variant ? variantView(ctx, product, variant) : null),
    image: () => (product ? imageView(product) : null),
    weight: { value: line.grams, unit: "GRAMS" },
    originalUnitPriceSet: moneyBag(order, line.unit),
    discountedUnitPriceSet: moneyBag(order, line.unit),
    discountedUnitPriceAfterAllDiscountsSet: moneyBag(order, afterDiscounts),
    originalTotalSet: moneyBag(order, whole),
    discountedTotalSet: (args: { readonly withCodeDiscounts?: boolean | null }) =>
      moneyBag(order, args.withCodeDiscounts ? subtract(whole, line.discount) : whole),
    totalDiscountSet: moneyBag(order, line.discount),
    priceAfterAllDiscountsBeforeTaxesSet: moneyBag(order, priceBeforeTax(order, line)),
    unfulfilledOriginalTotalSet: moneyBag(order, scale(line.unit, open)),
    unfulfilledDiscountedTotalSet: moneyBag(order, scale(line.unit, open)),
    discountAllocations: isZero(line.discount) ? [] : [{ allocatedAmountSet: moneyBag(order, line.discount) }],
    taxLines: () => taxLineViews(order, lineTax(order, line, line.quantity)),
    customAttributes: [],
  };
}

export function taxLineViews(order: Order, tax: Bag) {
  if (isZero(tax)) return [];
  const { title, rate } = order.tax;
  return [
    {
      title,
      rate,
      ratePercentage: rate * 100,
      source: "Shopify",
      channelLiable: false,
      priceSet: moneyBag(order, tax),
    },
  ];
}

function priceBeforeTax(order: Order, line: LineItem): Bag {
  const subtotal = lineSubtotal(line, line.quantity);
  return order.taxesIncluded ? subtract(subtotal, lineTax(order, line, line.quantity)) : subtotal;
}
