import { parseArgs } from "node:util";
import { createCrashWorld, sandboxClock, STORES } from "../crash-world.ts";
import { killRepeatedly } from "../random-kills.ts";
import { startReceiver } from "../receiver.ts";
import { startStandaloneServer } from "../standalone-ground.ts";
import { say, sayRuleOfThree, sayVerdict, wholeNumber } from "./say.ts";

const KILLS_MAX = 100_000;
const TOLD_EVERY = 50;

/** `pnpm crash [kills] --kills 1000 [--seed 7]`: SIGKILL at random moments under load, for as long as one likes. */
export async function commandKills(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { kills: { type: "string", default: "100" }, seed: { type: "string" } },
  });
  const kills = wholeNumber("kills", values.kills, KILLS_MAX);
  const seed = wholeNumber("seed", values.seed ?? String(1 + (Date.now() % 1_000_000)), 2 ** 32);
  const clock = sandboxClock();
  const receiver = await startReceiver();
  const server = await startStandaloneServer({ fsync: true });
  const ground = await server.ground({
    clock,
    endpointOrigin: receiver.origin,
    sandbox: { orders: 40, products: 20, customers: 20 },
  });
  const world = await createCrashWorld(ground, clock, receiver);
  try {
    for (const name of ["first", "second"]) await world.addEndpoint(name);
    for (const store of STORES) await world.connect(undefined, store);
    say(`${kills} kills with seed ${seed}, ${STORES.length} tenants, 2 endpoints …`);
    const inLife = async (life: number) => {
      if (life % TOLD_EVERY === 0) say(`  ${life} of ${kills}`);
    };
    const summary = await killRepeatedly(world, clock, { kills, seed, inLife });
    const perKill = (summary.elapsedMs / summary.kills / 1_000).toFixed(2);
    say(`kills           ${summary.kills} in ${(summary.elapsedMs / 1_000).toFixed(1)} s, ${perKill} s each`);
    say(`store actions   ${summary.actions}`);
    say(`webhooks        ${summary.accepted} answered 2xx`);
    say(`events          ${summary.events} acted on by the host, ${summary.duplicates} delivered again`);
    const code = sayVerdict(summary.violations);
    if (code === 0) sayRuleOfThree(summary.kills, "kills");
    say("SIGKILL is not a power cut: what the operating system had taken over survives it.");
    return code;
  } finally {
    await world.stop();
    await ground.close();
    await server.stop();
    await receiver.close();
  }
}
