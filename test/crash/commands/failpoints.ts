import { parseArgs } from "node:util";
import { createCrashWorld, sandboxClock } from "../crash-world.ts";
import { findFailpoints, killAt } from "../failpoints/run-failpoints.ts";
import { startReceiver } from "../receiver.ts";
import { startStandaloneServer } from "../standalone-ground.ts";
import { say, sayVerdict, seconds, wholeNumber } from "./say.ts";

const POINTS_MAX = 100_000;
const TOLD_EVERY = 25;

/**
 * `pnpm crash failpoints [--first-only] [--max 100]`: the process ends itself at every boundary that a round of work
 * comes by, at the first, second … time it comes by; `--first-only`: at the first.
 */
export async function commandFailpoints(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      max: { type: "string", default: String(POINTS_MAX) },
      "first-only": { type: "boolean", default: false },
    },
  });
  const max = wholeNumber("max", values.max, POINTS_MAX);
  const clock = sandboxClock();
  const receiver = await startReceiver();
  const server = await startStandaloneServer({ fsync: false });
  const ground = await server.ground({ clock, endpointOrigin: receiver.origin });
  const world = await createCrashWorld(ground, clock, receiver);
  try {
    await world.addEndpoint("host");
    await world.connect();
    await world.settle();
    const found = await findFailpoints(world);
    const names = new Set(found.map(({ boundary }) => boundary));
    const points = found.filter(({ nth }) => nth === 1 || !values["first-only"]).slice(0, max);
    say(`${names.size} boundaries, ${points.length} kills …`);
    const startedMs = performance.now();
    const onKill = (done: number) => {
      if (done % TOLD_EVERY === 0) say(`  ${done} of ${points.length}, ${seconds(startedMs)} s`);
    };
    const summary = await killAt(world, points, { onKill });
    await world.settle();
    say(`killed at ${summary.killed} of ${points.length} points in ${seconds(startedMs)} s`);
    for (const point of summary.missed) say(`  not reached again: ${point}`);
    return sayVerdict(await world.violations());
  } finally {
    await world.stop();
    await ground.close();
    await server.stop();
    await receiver.close();
  }
}
