import { parseArgs } from "node:util";
import type { Violation } from "../check-history.ts";
import { sandboxClock, type createCrashWorld } from "../crash-world.ts";
import { MUTANTS, mutantNamed } from "../mutants/mutants.ts";
import { runHonest, runMutant } from "../mutants/run-mutant.ts";
import { startReceiver } from "../receiver.ts";
import { startStandaloneServer, type StandaloneServer } from "../standalone-ground.ts";
import { say, sayVerdict, seconds } from "./say.ts";

/** A stage depends on what happens at the same time: a planted bug that was lucky once is not lucky again. */
const PLAYS_MAX = 2;

/**
 * `pnpm crash mutants [--only "<name>"]`: the honest product on every stage, then every planted bug on its own, and
 * whether the checker saw it.
 */
export async function commandMutants(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({ args: [...args], options: { only: { type: "string" } } });
  const names = MUTANTS.map(({ name }) => name).filter(
    (name) => values.only === undefined || name === mutantNamed(values.only).name,
  );
  const startedMs = performance.now();
  const server = await startStandaloneServer({ fsync: false });
  let missed = 0;
  let honest: readonly Violation[] = [];
  try {
    honest = await onGround(server, (...ground) => runHonest(...ground, names));
    say(`the honest product on ${names.length} stages (${seconds(startedMs)} s)`);
    sayVerdict(honest);
    for (const name of names) {
      const mutantMs = performance.now();
      let violations: readonly Violation[] = [];
      for (let play = 0; play < PLAYS_MAX && violations.length === 0; play++) {
        violations = await onGround(server, (...ground) => runMutant(...ground, name));
      }
      if (violations.length === 0) missed += 1;
      const rules = [...new Set(violations.map(({ rule }) => rule))].join(", ");
      say(`${violations.length === 0 ? "MISSED" : "caught"}  ${name}: ${rules} (${seconds(mutantMs)} s)`);
    }
  } finally {
    await server.stop();
  }
  say(`planted bugs caught ${names.length - missed} of ${names.length} in ${seconds(startedMs)} s`);
  return missed === 0 && honest.length === 0 ? 0 : 1;
}

async function onGround(
  server: StandaloneServer,
  run: (...of: Parameters<typeof createCrashWorld>) => Promise<readonly Violation[]>,
): Promise<readonly Violation[]> {
  const clock = sandboxClock();
  const receiver = await startReceiver();
  const ground = await server.ground({ clock, endpointOrigin: receiver.origin });
  try {
    return await run(ground, clock, receiver);
  } finally {
    await ground.close();
    await receiver.close();
  }
}
