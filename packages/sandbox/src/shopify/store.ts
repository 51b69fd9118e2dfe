import type { Json } from "./json.ts";
import type { Bag, Catalog } from "./model.ts";
import { bagOf } from "./money.ts";

/** Uniform numbers in [0, 1), the same ones for the same seed. */
export interface Dice {
  next(): number;
}

/** Tells webhook subscribers of `topic`; the body is made only when somebody listens. */
export type Emit = (topic: string, body: () => Json) => void;

/** One store as the actions see it. */
export interface Store {
  readonly catalog: Catalog;
  readonly dice: Dice;
  /** Whole seconds, as Shopify keeps its times. */
  readonly now: () => Date;
  readonly emit: Emit;
}

/** A refused action; the message is meant for the person or program that asked. */
export class Refused extends Error {}

const ID_STEP = 32_768n;

export function newId(store: Store): bigint {
  store.catalog.nextId += ID_STEP;
  return store.catalog.nextId;
}

export function priceIn(store: Store, shopMinor: number, presentmentCurrency: string): Bag {
  const { currency, presentment } = store.catalog.profile;
  const rate = presentment.find((entry) => entry.currency === presentmentCurrency)?.rate ?? 1;
  return bagOf(shopMinor, currency, presentmentCurrency, rate);
}

export function pick<T>(dice: Dice, items: readonly T[]): T {
  const item = items[Math.floor(dice.next() * items.length)];
  if (item === undefined) throw new Refused("There is nothing to choose from in this store.");
  return item;
}

export function between(dice: Dice, low: number, high: number): number {
  return low + Math.floor(dice.next() * (high - low + 1));
}

export function dice(seed: number): Dice {
  let state = seed >>> 0;
  return {
    next: () => {
      state = (state + 0x6d2b79f5) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 15), state | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    },
  };
}

export function wholeSeconds(date: Date): Date {
  return new Date(Math.floor(date.getTime() / 1000) * 1000);
}
