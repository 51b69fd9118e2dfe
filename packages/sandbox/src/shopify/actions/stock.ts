import type { InventoryLevel, LineItem, Order, Product, Variant } from "../model.ts";
import { inventoryLevelBody } from "../rest/product.ts";
import type { Store } from "../store.ts";

/** Moves the units of a new order from available to committed at its location. */
export function commitStock(store: Store, order: Order): void {
  for (const line of order.lines) moveStock(store, order.locationId, line, line.quantity, -line.quantity);
}

/** Puts `quantity` units of a line back on the shelf. */
export function restock(store: Store, locationId: bigint, line: LineItem, quantity: number): void {
  moveStock(store, locationId, line, 0, quantity);
}

/** Sets the units available at one location. */
export function setAvailable(store: Store, variant: Variant, level: InventoryLevel, available: number): void {
  level.available = available;
  level.updatedAt = store.now();
  store.emit("inventory_levels/update", () => inventoryLevelBody(variant, level));
}

export function findVariant(store: Store, variantId: bigint | null): { product: Product; variant: Variant } | null {
  if (variantId === null) return null;
  for (const product of store.catalog.products.values()) {
    const variant = product.variants.find((candidate) => candidate.id === variantId);
    if (variant) return { product, variant };
  }
  return null;
}

function moveStock(store: Store, locationId: bigint, line: LineItem, committed: number, available: number): void {
  const product = line.productId === null ? undefined : store.catalog.products.get(line.productId);
  const variant = product?.variants.find((candidate) => candidate.id === line.variantId);
  const level = variant?.item.levels.find((candidate) => candidate.locationId === locationId);
  if (!variant || !level || !variant.item.tracked) return;
  level.committed += committed;
  setAvailable(store, variant, level, level.available + available);
}
