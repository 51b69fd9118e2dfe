import { setTimeout as delay } from "node:timers/promises";
import { Refused } from "../../packages/sandbox/src/shopify/store.ts";
import type { Violation } from "./check-history.ts";
import { STORES, type CrashWorld } from "./crash-world.ts";

export interface KillOptions {
  readonly kills: number;
  readonly seed: number;
  /** No more kills after this long; a slow machine makes fewer. */
  readonly killingMsMax?: number;
  /** Runs in each life, counted from 1. */
  readonly inLife?: (life: number) => Promise<void>;
}

export interface KillsSummary {
  readonly seed: number;
  readonly kills: number;
  readonly actions: number;
  readonly accepted: number;
  readonly events: number;
  readonly duplicates: number;
  readonly elapsedMs: number;
  readonly violations: readonly Violation[];
}

const LIFE_MS_MIN = 50;
const LIFE_MS_MAX = 300;
const ACTIONS_PER_LIFE = 4;
/** Of the store's own repeats: the first comes after ten seconds of its clock. */
const REPEAT_AFTER_MS = 10_000;

/**
 * Kills the product again and again 50 to 300 ms after it was ready, while the store changes, and checks in the end
 * that every promise was kept. The same seed gives the same changes and lives.
 */
export async function killRepeatedly(
  world: CrashWorld,
  clock: { advance(ms: number): void },
  options: KillOptions,
): Promise<KillsSummary> {
  const random = mulberry32(options.seed);
  const startedMs = performance.now();
  let actions = 0;
  for (const { shop } of STORES) world.act("switches", { duplicates: 1, disorder: true }, shop);
  let kills = 0;
  while (kills < options.kills && performance.now() - startedMs < (options.killingMsMax ?? Infinity)) {
    world.prepare();
    await options.inLife?.(kills + 1);
    for (let action = 0; action < ACTIONS_PER_LIFE; action++) {
      const { shop } = STORES[Math.floor(random() * STORES.length)] ?? STORES[0];
      changeSomething({ act: (verb, input) => world.act(verb, input, shop) }, random);
      actions += 1;
    }
    clock.advance(REPEAT_AFTER_MS);
    world.ground.sandbox.shopify.webhooks.retryDueNow();
    await delay(LIFE_MS_MIN + random() * (LIFE_MS_MAX - LIFE_MS_MIN));
    await world.kill();
    kills += 1;
    world.noteAccepted();
    await world.start();
  }
  for (const { shop } of STORES) world.act("switches", { duplicates: 0, disorder: false }, shop);
  await world.settle();
  const { receiver } = world;
  return {
    seed: options.seed,
    kills,
    actions,
    accepted: world.accepted.size,
    events: receiver.acted.length,
    duplicates: receiver.receipts.length - receiver.acted.length,
    elapsedMs: Math.round(performance.now() - startedMs),
    violations: await world.violations(),
  };
}

/** A change that the store makes, or refuses when no object fits it any more. */
export function changeSomething(world: Pick<CrashWorld, "act">, random: () => number): void {
  const verbs = CHANGES.map(({ verb, weight }) => ({ verb, at: random() ** (1 / weight) }));
  for (const { verb } of verbs.toSorted((a, b) => b.at - a.at)) {
    try {
      world.act(verb, verb === "update-order" ? { note: `note ${Math.floor(random() * 1e9)}` } : {});
      return;
    } catch (error) {
      // The store refuses: nothing is left to refund, ship or cancel. Another change will do.
      if (!(error instanceof Refused)) throw error;
    }
  }
}

const CHANGES = [
  { verb: "place-order", weight: 4 },
  { verb: "update-order", weight: 3 },
  { verb: "refund", weight: 2 },
  { verb: "edit-product", weight: 2 },
  { verb: "update-customer", weight: 2 },
  { verb: "fulfill-order", weight: 1 },
  { verb: "cancel-order", weight: 1 },
  { verb: "delete-product", weight: 0.2 },
] as const;

/** Small and seeded: what a test did can be done again. */
export function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}
