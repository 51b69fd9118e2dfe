import type { Product, Variant } from "../model.ts";
import { productBody } from "../rest/product.ts";
import { Refused, type Store } from "../store.ts";

export interface ProductChanges {
  readonly title?: string;
  readonly descriptionHtml?: string;
  readonly handle?: string;
  readonly vendor?: string;
  readonly productType?: string;
  readonly status?: Product["status"];
  readonly tags?: readonly string[];
}

export function updateProduct(store: Store, product: Product, changes: ProductChanges): void {
  if (changes.title !== undefined) product.title = changes.title;
  if (changes.descriptionHtml !== undefined) product.descriptionHtml = changes.descriptionHtml;
  if (changes.handle !== undefined) product.handle = changes.handle;
  if (changes.vendor !== undefined) product.vendor = changes.vendor;
  if (changes.productType !== undefined) product.productType = changes.productType;
  if (changes.status !== undefined) product.status = changes.status;
  if (changes.tags !== undefined) product.tags = [...changes.tags];
  touch(store, product);
}

export interface VariantChanges {
  /** Minor units of the shop's currency. */
  readonly price?: number;
  readonly compareAtPrice?: number | null;
  readonly barcode?: string | null;
  readonly sku?: string;
  readonly taxable?: boolean;
}

export function updateVariant(store: Store, product: Product, variant: Variant, changes: VariantChanges): void {
  if (changes.price !== undefined && changes.price < 0) throw new Refused("Price must not be negative.");
  if (changes.price !== undefined) variant.price = changes.price;
  if (changes.compareAtPrice !== undefined) variant.compareAtPrice = changes.compareAtPrice;
  if (changes.barcode !== undefined) variant.barcode = changes.barcode;
  if (changes.sku !== undefined) variant.sku = changes.sku;
  if (changes.taxable !== undefined) variant.taxable = changes.taxable;
  variant.updatedAt = store.now();
  touch(store, product);
}

/** Deletes a product for good. Orders keep their lines, but these no longer lead to it. */
export function deleteProduct(store: Store, product: Product): void {
  store.catalog.products.delete(product.id);
  for (const order of store.catalog.orders.values()) {
    for (const line of order.lines.filter((candidate) => candidate.productId === product.id)) {
      line.productId = null;
      line.variantId = null;
    }
  }
  store.emit("products/delete", () => ({ id: product.id }));
}

function touch(store: Store, product: Product): void {
  product.updatedAt = store.now();
  store.emit("products/update", () => productBody(product, store.catalog));
}
