import type { Expansion, ProviderFault, ProviderRequest, ProviderResponse } from "../../connectors/kit/index.ts";
import type { ReadInterval } from "../../domain/records/index.ts";
import type { ProviderOutcome } from "../provider-client/index.ts";

/** A provider call of one connection, with its priority and signal bound. */
export type Call = (request: ProviderRequest) => Promise<ProviderOutcome>;

export type ItemsRead<Item> =
  | {
      readonly ok: true;
      readonly response: ProviderResponse;
      readonly items: readonly Item[];
      /** From the first call to the end of the last one that completed an item. */
      readonly read: ReadInterval;
    }
  | { readonly ok: false; readonly fault: ProviderFault };

/** An expansion may show that its children have more to give; no object goes deeper than this. */
const ROUNDS_MAX = 4;
/** Pages of one inline list. */
const PAGES_MAX = 1_000;

/** One request and the completion of its items: what comes out is whole, or nothing does. */
export async function readItems<Item>(
  call: Call,
  request: ProviderRequest,
  parse: (response: ProviderResponse) => readonly Item[],
  expansion: {
    readonly of: (item: Item) => readonly Expansion[];
    readonly raw: (item: Item) => unknown;
    readonly put: (item: Item, raw: unknown) => Item;
  },
): Promise<ItemsRead<Item>> {
  const outcome = await call(request);
  if (!outcome.ok) return { ok: false, fault: outcome.fault };
  const items: Item[] = [];
  let endedAt = outcome.read.endedAt;
  for (let item of parse(outcome.response)) {
    for (let round = 0; ; round++) {
      const expansions = expansion.of(item);
      if (expansions.length === 0) break;
      if (round >= ROUNDS_MAX) return { ok: false, fault: { kind: "too_large" } };
      for (const each of expansions) {
        const expanded = await expand(call, each, expansion.raw(item));
        if (!expanded.ok) return expanded;
        item = expansion.put(item, expanded.item);
        endedAt = expanded.endedAt;
      }
    }
    items.push(item);
  }
  return { ok: true, response: outcome.response, items, read: { startedAt: outcome.read.startedAt, endedAt } };
}

async function expand(
  call: Call,
  expansion: Expansion,
  item: unknown,
): Promise<
  | { readonly ok: true; readonly item: unknown; readonly endedAt: Date }
  | { readonly ok: false; readonly fault: ProviderFault }
> {
  let request: ProviderRequest = expansion.request;
  let grown = item;
  for (let page = 0; page < PAGES_MAX; page++) {
    const outcome = await call(request);
    if (!outcome.ok) return { ok: false, fault: outcome.fault };
    grown = expansion.merge(grown, outcome.response);
    const next = expansion.next(outcome.response, request);
    if (next === null) return { ok: true, item: grown, endedAt: outcome.read.endedAt };
    request = next;
  }
  return { ok: false, fault: { kind: "too_large" } };
}
