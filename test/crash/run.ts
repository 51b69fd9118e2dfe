import { parseArgs } from "node:util";
import { runRefresh } from "./refresh/run.ts";
import { createCrashWorld, sandboxClock } from "./crash-world.ts";
import { killRepeatedly, type KillsSummary } from "./random-kills.ts";
import { startReceiver } from "./receiver.ts";
import { standaloneGround } from "./standalone-ground.ts";

/**
 * `pnpm crash --kills 1000 [--seed 7]`: the kill test for as long as one likes, with its figures.
 * `pnpm crash refresh`: every refresh of tokens under every fault, and killed at every step.
 */
const KILLS_MAX = 100_000;
const VIOLATIONS_SHOWN_MAX = 20;

if (process.argv[2] === "refresh") process.exit(await runRefresh(process.argv.slice(3)));

const { values } = parseArgs({
  args: process.argv.slice(2).filter((argument) => argument !== "--"),
  options: { kills: { type: "string", default: "100" }, seed: { type: "string" } },
});
const kills = wholeNumber("kills", values.kills, KILLS_MAX);
const seed = wholeNumber("seed", values.seed ?? String(Date.now() % 1_000_000), 2 ** 32);

const clock = sandboxClock();
const receiver = await startReceiver();
const ground = await standaloneGround(clock, receiver.origin);
const world = await createCrashWorld(ground, clock, receiver);
try {
  await world.addEndpoint("host");
  await world.connect();
  say(`${kills} kills with seed ${seed} …`);
  const summary = await killRepeatedly(world, clock, {
    kills,
    seed,
    inLife: async (life) => {
      if (life % 25 === 0) say(`  ${life} of ${kills}`);
    },
  });
  print(summary);
  process.exitCode = summary.violations.length === 0 ? 0 : 1;
} finally {
  await world.stop();
  await ground.close();
  await receiver.close();
}

function print(summary: KillsSummary): void {
  const perKill = (summary.elapsedMs / summary.kills / 1_000).toFixed(2);
  say(`kills           ${summary.kills} in ${(summary.elapsedMs / 1_000).toFixed(1)} s, ${perKill} s each`);
  say(`store actions   ${summary.actions}`);
  say(`webhooks        ${summary.accepted} answered 2xx`);
  say(`events          ${summary.events} acted on by the host, ${summary.duplicates} delivered again`);
  say(`broken promises ${summary.violations.length}`);
  for (const { rule, detail } of summary.violations.slice(0, VIOLATIONS_SHOWN_MAX)) say(`  ${rule}: ${detail}`);
  if (summary.violations.length === 0) {
    say(`so with 95 % confidence fewer than ${(300 / summary.kills).toFixed(2)} % of kills break one (rule of three).`);
  }
  say("SIGKILL is not a power cut: what the operating system had taken over survives it.");
}

function wholeNumber(name: string, text: string, max: number): number {
  if (!/^\d{1,10}$/.test(text) || Number(text) < 1 || Number(text) > max) {
    process.stderr.write(`--${name} must be a whole number from 1 to ${max}\n`);
    process.exit(2);
  }
  return Number(text);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
