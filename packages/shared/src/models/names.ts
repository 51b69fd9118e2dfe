import type { IdPrefix } from "../ids.ts";

/** Our unified models, and the prefix that ids of their records wear. */
export const MODELS = {
  account: "acct",
  customer: "cus",
  product: "prod",
  variant: "var",
  order: "ord",
  refund: "ref",
} as const satisfies Record<string, IdPrefix>;

export type ModelName = keyof typeof MODELS;
export const MODEL_NAMES = Object.keys(MODELS) as [ModelName, ...ModelName[]];
