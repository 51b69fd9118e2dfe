import type { Violation } from "../check-history.ts";
import { createCrashWorld, type Ground, type sandboxClock } from "../crash-world.ts";
import type { Receiver } from "../receiver.ts";
import type { MutantName } from "./mutants.ts";
import { STAGES } from "./stages.ts";

/** A broken product need not come to rest; an honest one does so much sooner. */
const SETTLE_MS_MAX = 10_000;

/**
 * Plays the stage of a planted bug, on a database of its own.
 *
 * @returns the promises that the checker found broken; none means that it saw nothing
 */
export async function runMutant(
  ground: Ground,
  clock: ReturnType<typeof sandboxClock>,
  receiver: Receiver,
  name: MutantName,
): Promise<readonly Violation[]> {
  const world = await createCrashWorld(ground, clock, receiver);
  try {
    await world.connect();
    const endpointId = await world.addEndpoint("host");
    await world.settle();
    await world.restart({ CRASH_MUTANT: name });
    await STAGES[name]({ world, endpointId });
    await world.settle(SETTLE_MS_MAX);
    return await world.violations();
  } finally {
    await world.stop();
  }
}

/** The honest product on these stages, one after the other in one world: it comes through all of them. */
export async function runHonest(
  ground: Ground,
  clock: ReturnType<typeof sandboxClock>,
  receiver: Receiver,
  names: readonly MutantName[],
): Promise<readonly Violation[]> {
  const world = await createCrashWorld(ground, clock, receiver);
  try {
    await world.connect();
    const endpointId = await world.addEndpoint("host");
    for (const name of names) {
      await STAGES[name]({ world, endpointId });
      await world.settle();
    }
    return await world.violations();
  } finally {
    await world.stop();
  }
}
