import { z } from "zod";
import { Account, NormalizedAccount } from "./account.ts";
import { Customer, NormalizedCustomer } from "./customer.ts";
import type { ModelName } from "./names.ts";
import { NormalizedOrder, Order } from "./order.ts";
import { NormalizedProduct, Product } from "./product.ts";
import { NormalizedRefund, Refund } from "./refund.ts";
import { NormalizedVariant, Variant } from "./variant.ts";

/** The record of each model, as the API tells it. */
export interface RecordOf {
  readonly account: Account;
  readonly customer: Customer;
  readonly product: Product;
  readonly variant: Variant;
  readonly order: Order;
  readonly refund: Refund;
}

/** What a connector says of one object of each model. */
export interface NormalizedOf {
  readonly account: NormalizedAccount;
  readonly customer: NormalizedCustomer;
  readonly product: NormalizedProduct;
  readonly variant: NormalizedVariant;
  readonly order: NormalizedOrder;
  readonly refund: NormalizedRefund;
}

/** One object of a provider in our words; `model` tells its shape. */
export type NormalizedRecord = {
  readonly [M in ModelName]: { readonly model: M; readonly data: NormalizedOf[M] };
}[ModelName];

/** Any record; `object` tells its shape. */
export type AnyRecord = RecordOf[ModelName];

export const RECORD_SCHEMAS: { readonly [M in ModelName]: z.ZodType<RecordOf[M]> } = {
  account: Account,
  customer: Customer,
  product: Product,
  variant: Variant,
  order: Order,
  refund: Refund,
};

export const NORMALIZED_SCHEMAS: { readonly [M in ModelName]: z.ZodType<NormalizedOf[M]> } = {
  account: NormalizedAccount,
  customer: NormalizedCustomer,
  product: NormalizedProduct,
  variant: NormalizedVariant,
  order: NormalizedOrder,
  refund: NormalizedRefund,
};

export const AnyRecord: z.ZodType<AnyRecord> = z
  .union([Account, Customer, Product, Variant, Order, Refund])
  .meta({ id: "AnyRecord" });
