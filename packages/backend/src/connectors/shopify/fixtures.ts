/** Reads this connector's fixtures, for its tests. */
import { readFileSync } from "node:fs";
import { MODELS, type NormalizedOf, type NormalizedRecord } from "@patchbay/shared";
import type { NormalizeContext, ProviderResponse, Resource } from "../kit/index.ts";
import { readAnswer, response } from "../kit/conformance.ts";

export function fixtureText(name: string): string {
  return readFileSync(new URL(`./fixtures/${name}`, import.meta.url), "utf8");
}

/** A successful answer. */
export function answer(name: string): ProviderResponse {
  return response(fixtureText(name));
}

/** An answer with a status and headers of its own. */
export function errorAnswer(name: string): ProviderResponse {
  return readAnswer(fixtureText(name));
}

/** Ids that show what they stand for: `order_1001`. */
export const context: NormalizeContext = {
  id: (model, remoteId) => `${MODELS[model]}_${remoteId}`,
  accountCurrency: null,
};

/** Items of the first page of `resource`, each with `change` put over it. */
export function listed(resource: Resource, change: object = {}): readonly unknown[] {
  const items = resource.list?.items(answer(`list.${resource.name}.1.json`)) ?? [];
  return items.map((item) => Object.assign({}, item, change));
}

export function normalized(resource: Resource, item: unknown): readonly NormalizedRecord[] {
  // `normalize` takes `never` so that nothing but what `raw` parsed reaches it.
  return resource.normalize(resource.raw.parse(item) as never, context);
}

/** The data of the records of one model. */
export function dataOfModel<M extends keyof NormalizedOf>(
  records: readonly NormalizedRecord[],
  model: M,
): readonly NormalizedOf[M][] {
  // What `filter` establishes: the model of a record tells the type of its data.
  return records.filter((record) => record.model === model).map((record) => record.data as NormalizedOf[M]);
}
