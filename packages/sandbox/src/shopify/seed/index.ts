import { deleteProduct } from "../actions/change-product.ts";
import type { Catalog, ShopProfile } from "../model.ts";
import { dice, type Store, wholeSeconds } from "../store.ts";
import { daysBefore, emptyCatalog, seedCustomers, seedLocations, seedProducts } from "./catalog.ts";
import { type At, randomOrder, seedOrders } from "./orders.ts";

export interface SeedSizes {
  readonly products: number;
  readonly customers: number;
  readonly orders: number;
}

export const DEFAULT_SIZES: SeedSizes = { products: 320, customers: 140, orders: 600 };

/** Fills a store as the seed says: the same seed and the same newest day give the same store. */
export function seedCatalog(profile: ShopProfile, sizes: SeedSizes, seed: number, today: Date): Catalog {
  const newest = wholeSeconds(today);
  let now = daysBefore(newest, 500);
  const catalog = emptyCatalog(profile, now);
  const store: Store = { catalog, dice: dice(seed), now: () => now, emit: () => undefined };
  const at = (days: number) => {
    now = daysBefore(newest, days);
  };
  seedLocations(store);
  at(420);
  seedCustomers(store, sizes.customers);
  seedProducts(store, sizes.products);
  at(410);
  sellAndDelete(store, at);
  seedOrders(store, at, sizes.orders);
  return catalog;
}

/** Leaves an order whose product no longer exists. */
function sellAndDelete(store: Store, at: At): void {
  const product = [...store.catalog.products.values()].at(-1);
  const variant = product?.variants[0];
  if (!product || !variant || product.isGiftCard) return;
  at(45);
  randomOrder(store, { lines: [{ product, variant, quantity: 1 }], note: "Seed: its product was deleted" });
  deleteProduct(store, product);
}
