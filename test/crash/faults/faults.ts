import { setTimeout as delay } from "node:timers/promises";
import { STORES, type CrashWorld } from "../crash-world.ts";
import { changeSomething } from "../random-kills.ts";

/** Something that goes wrong around the product, which itself goes on. */
export interface Fault {
  readonly name: string;
  /** How long it lasts. */
  readonly lastsMs: number;
  begin(): Promise<void> | void;
  end(): Promise<void> | void;
}

const CHANGE_EVERY_MS = 100;
const BEFORE_MS = 500;
const AFTER_MS = 500;

/** Lets each fault come and go while the stores change; `onFault` runs after each. */
export async function runFaults(
  world: CrashWorld,
  faults: readonly Fault[],
  random: () => number,
  onFault: (name: string) => Promise<void> = async () => {},
): Promise<void> {
  for (const fault of faults) {
    await changesFor(world, BEFORE_MS, random);
    await fault.begin();
    world.noteFault();
    await changesFor(world, fault.lastsMs, random);
    await fault.end();
    await changesFor(world, AFTER_MS, random);
    await onFault(fault.name);
  }
}

async function changesFor(world: CrashWorld, ms: number, random: () => number): Promise<void> {
  const endMs = performance.now() + ms;
  while (performance.now() < endMs) {
    const { shop } = STORES[Math.floor(random() * world.stores)] ?? STORES[0];
    changeSomething({ act: (verb, input) => world.act(verb, input, shop) }, random);
    world.noteAccepted();
    await delay(CHANGE_EVERY_MS);
  }
}
