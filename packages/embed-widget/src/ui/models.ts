import type { ModelName } from "@patchbay/shared";
import type { MessageKey } from "../i18n/en.ts";
import type { View } from "./view.ts";

/** What people think of as data: an account is where it is, variants are part of products. */
const NAMES = {
  customer: "modelCustomer",
  product: "modelProduct",
  order: "modelOrder",
  refund: "modelRefund",
} as const satisfies Partial<Record<ModelName, MessageKey>>;

/** Variants are part of products to people. */
const READS: readonly (readonly [ModelName, MessageKey])[] = [
  ["order", "readsOrder"],
  ["customer", "readsCustomer"],
  ["product", "readsProduct"],
  ["refund", "readsRefund"],
  ["account", "readsAccount"],
];

/** “Customers, Products and Orders”. */
export function modelNames({ t }: Pick<View, "t">, models: readonly ModelName[]): string {
  const names = models.flatMap((model) => (model in NAMES ? [t(NAMES[model as keyof typeof NAMES])] : []));
  return names.join(", ");
}

/** What reading these models means, in sentences. */
export function readWords({ t }: Pick<View, "t">, models: readonly ModelName[]): readonly string[] {
  const read = new Set<ModelName>(models.map((model) => (model === "variant" ? "product" : model)));
  return READS.filter(([model]) => read.has(model)).map(([, key]) => t(key));
}
