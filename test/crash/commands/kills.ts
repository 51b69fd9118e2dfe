import { appendFile, mkdir } from "node:fs/promises";
import { loadavg } from "node:os";
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import { createCrashWorld, sandboxClock, STORES } from "../crash-world.ts";
import { killRepeatedly, type KillsSummary } from "../random-kills.ts";
import { startReceiver } from "../receiver.ts";
import { startStandaloneServer, type StandaloneServer } from "../standalone-ground.ts";
import { say, sayRuleOfThree, sayVerdict, wholeNumber } from "./say.ts";

const KILLS_MAX = 100_000;
const WORLDS_MAX = 16;
/** Then everything comes to rest and is checked, and a new world begins: what is broken is seen early. */
const KILLS_PER_WORLD_MAX = 250;
const TOLD_EVERY = 50;
const MINUTE_MS = 60_000;
const MINUTES_MAX = 100_000;
/** With what `pnpm bench` keeps. */
const FIGURES = "bench-results/crash-kills.jsonl";

/** A world of its own with its seed. */
interface Stretch {
  readonly seed: number;
  readonly kills: number;
}

/**
 * `pnpm crash [kills] --kills 10000 [--seed 7] [--worlds 2] [--minutes 60] [--figures file]`: SIGKILL at random moments
 * under load, for as long as one likes, in several worlds side by side. After so many minutes they come to rest.
 *
 * The n-th world has the n-th seed from the one that is given, so that one of them can be run again alone, and a long run
 * can be split. Each adds a line to the file when it is checked.
 */
export async function commandKills(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      kills: { type: "string", default: "100" },
      seed: { type: "string" },
      worlds: { type: "string", default: "2" },
      minutes: { type: "string", default: String(MINUTES_MAX) },
      figures: { type: "string", default: FIGURES },
    },
  });
  const kills = wholeNumber("kills", values.kills, KILLS_MAX);
  const seed = wholeNumber("seed", values.seed ?? String(1 + (Date.now() % 1_000_000)), 2 ** 32);
  const worlds = Math.min(kills, wholeNumber("worlds", values.worlds, WORLDS_MAX));
  const endMs = performance.now() + wholeNumber("minutes", values.minutes, MINUTES_MAX) * MINUTE_MS;
  const stretches = stretchesOf(kills, worlds, seed);
  const ends: string[] = [];
  const summaries: KillsSummary[] = [];
  const tell = teller(kills);
  say(`${kills} kills, ${worlds} worlds at a time, ${stretches.length} in all from seed ${seed} …`);
  const server = await startStandaloneServer({ fsync: true });
  const startedMs = performance.now();
  const left = [...stretches];
  const work = async () => {
    for (let stretch = left.shift(); stretch !== undefined && performance.now() < endMs; stretch = left.shift()) {
      try {
        const summary = await liveThrough(server, { ...stretch, endMs }, tell);
        summaries.push(summary);
        await keepFigures(values.figures, summary, worlds);
        if (summary.violations.length > 0) say(`BROKEN in the world of seed ${stretch.seed}`);
      } catch (error) {
        ends.push(`the world of seed ${stretch.seed} ended early: ${String(error)}`);
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: worlds }, work));
  } finally {
    await server.stop();
  }
  for (const end of ends) say(end);
  return sayAll(summaries, performance.now() - startedMs) === 0 && ends.length === 0 ? 0 : 1;
}

/** As even as can be, each no longer than the bound. */
function stretchesOf(kills: number, worlds: number, seed: number): readonly Stretch[] {
  const rounds = Math.ceil(kills / (worlds * KILLS_PER_WORLD_MAX));
  const count = Math.min(kills, rounds * worlds);
  return Array.from({ length: count }, (_, index) => ({
    seed: seed + index,
    kills: Math.floor(((index + 1) * kills) / count) - Math.floor((index * kills) / count),
  }));
}

async function liveThrough(
  server: StandaloneServer,
  { seed, kills, endMs }: Stretch & { readonly endMs: number },
  onKill: () => void,
): Promise<KillsSummary> {
  const clock = sandboxClock();
  const receiver = await startReceiver();
  const ground = await server.ground({
    clock,
    endpointOrigin: receiver.origin,
    sandbox: { orders: 40, products: 20, customers: 20 },
  });
  try {
    const world = await createCrashWorld(ground, clock, receiver);
    try {
      for (const name of ["first", "second"]) await world.addEndpoint(name);
      for (const store of STORES) await world.connect(undefined, store);
      const killingMsMax = Math.max(0, endMs - performance.now());
      return await killRepeatedly(world, clock, { seed, kills, killingMsMax, inLife: async () => onKill() });
    } finally {
      await world.stop();
    }
  } finally {
    await ground.close();
    await receiver.close();
  }
}

/** Says now and then how fast it goes, and when it may be over. */
function teller(kills: number): () => void {
  const startedMs = performance.now();
  let done = 0;
  return () => {
    done += 1;
    if (done % TOLD_EVERY !== 0) return;
    const perMs = done / (performance.now() - startedMs);
    const end = new Date(Date.now() + (kills - done) / perMs);
    say(`  ${done} of ${kills}, ${(perMs * MINUTE_MS).toFixed(0)} a minute, over at about ${end.toISOString()}`);
  };
}

async function keepFigures(file: string, summary: KillsSummary, worlds: number): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const line = { at: new Date().toISOString(), worlds, load: loadavg()[0], ...summary };
  await appendFile(file, `${JSON.stringify(line)}\n`);
}

function sayAll(summaries: readonly KillsSummary[], elapsedMs: number): number {
  const sum = (of: (summary: KillsSummary) => number) => summaries.reduce((total, each) => total + of(each), 0);
  const kills = sum((each) => each.kills);
  say(
    `kills           ${kills} in ${(elapsedMs / 1_000).toFixed(1)} s, ${((kills / elapsedMs) * MINUTE_MS).toFixed(0)} a minute`,
  );
  say(`store actions   ${sum((each) => each.actions)}`);
  say(`webhooks        ${sum((each) => each.accepted)} answered 2xx`);
  say(
    `events          ${sum((each) => each.events)} acted on by the host, ${sum((each) => each.duplicates)} delivered again`,
  );
  const code = sayVerdict(summaries.flatMap((each) => each.violations));
  if (code === 0 && kills > 0) sayRuleOfThree(kills, "kills");
  say("SIGKILL is not a power cut: what the operating system had taken over survives it.");
  return code;
}
