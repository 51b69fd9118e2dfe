import { setTimeout as delay } from "node:timers/promises";
import { SHOP, type CrashWorld } from "../crash-world.ts";
import { changeSomething, mulberry32 } from "../random-kills.ts";

/** A boundary of the product's work, such as `before insert inbox 1a2b3c4d`, and which time it is reached. */
export interface Failpoint {
  readonly boundary: string;
  readonly nth: number;
}

export interface FailpointsSummary {
  readonly killed: number;
  /** Not reached again while it was armed: what it belongs to did not happen. */
  readonly missed: readonly string[];
}

const HITS_MAX = 200;
/** For the work of one round to come by an armed boundary. */
const REACH_MS_MAX = 6_000;
const ROUND_MS_MAX = 20_000;

/** Runs one round of everything, and names the boundaries that it came by, in order of first reach. */
export async function findFailpoints(world: CrashWorld): Promise<readonly Failpoint[]> {
  world.child.order({ kind: "count" });
  await doRound(world, 1);
  await world.settle(ROUND_MS_MAX);
  const counts = await world.child.report();
  return Object.entries(counts).flatMap(([boundary, hits]) =>
    Array.from({ length: Math.min(hits, HITS_MAX) }, (_, index) => ({ boundary, nth: index + 1 })),
  );
}

/** Has the process end itself at each of these, one life each. Work that is left goes on in the next life. */
export async function killAt(
  world: CrashWorld,
  points: readonly Failpoint[],
  options: { readonly killingMsMax?: number; readonly onKill?: (done: number) => void } = {},
): Promise<FailpointsSummary> {
  const startedMs = performance.now();
  const missed: string[] = [];
  let killed = 0;
  for (const [index, { boundary, nth }] of points.entries()) {
    if (performance.now() - startedMs > (options.killingMsMax ?? Infinity)) break;
    world.child.order({ kind: "die", boundary, nth });
    const round = doRound(world, index + 2).catch(() => {
      // Its API call met the end of the process.
    });
    const reached = await Promise.race([world.died().then(() => true), delay(REACH_MS_MAX, false)]);
    await round;
    if (!reached) {
      missed.push(`${boundary} #${nth}`);
      await world.kill();
    }
    killed += reached ? 1 : 0;
    world.noteAccepted();
    await world.start();
    options.onKill?.(index + 1);
  }
  return { killed, missed };
}

/** Something of everything: webhooks, reads, events, deliveries, and a run that lists. */
async function doRound(world: CrashWorld, seed: number): Promise<void> {
  const random = mulberry32(seed);
  for (let action = 0; action < 3; action++) {
    changeSomething({ act: (verb, input) => world.act(verb, input, SHOP) }, random);
  }
  await world.workspace.sdk.runs.trigger({ connectionId: world.connectionId });
}
