import type { ModelName } from "@patchbay/shared";
import type { MessageKey } from "../i18n/en.ts";
import type { View } from "./view.ts";

const NAMES = {
  account: "model.account",
  customer: "model.customer",
  product: "model.product",
  variant: "model.variant",
  order: "model.order",
  refund: "model.refund",
} as const satisfies Record<ModelName, MessageKey>;

/** Variants are part of products to people. */
const READS: readonly (readonly [ModelName, MessageKey])[] = [
  ["order", "reads.order"],
  ["customer", "reads.customer"],
  ["product", "reads.product"],
  ["refund", "reads.refund"],
  ["account", "reads.account"],
];

/** “Customers, Products and Orders”. */
export function modelNames({ t, locale }: Pick<View, "t" | "locale">, models: readonly ModelName[]): string {
  const names = models.filter((model) => model !== "account" && model !== "variant").map((model) => t(NAMES[model]));
  return new Intl.ListFormat(locale, { type: "unit", style: "short" }).format(names);
}

/** What reading these models means, in sentences. */
export function readWords({ t }: Pick<View, "t">, models: readonly ModelName[]): readonly string[] {
  const read = new Set<ModelName>(models.map((model) => (model === "variant" ? "product" : model)));
  return READS.filter(([model]) => read.has(model)).map(([, key]) => t(key));
}
