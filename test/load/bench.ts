import { parseArgs } from "node:util";
import { openDedupe } from "./deliver/bench-dedupe.ts";
import { openDeliver } from "./deliver/bench-deliver.ts";
import { openIdle } from "./idle/bench-idle.ts";
import { openFairness } from "./fairness/bench-fairness.ts";
import { openReplay } from "./replay/bench-replay.ts";
import { openRetention } from "./retention/bench-retention.ts";
import { openIngest } from "./ingest/bench-ingest.ts";
import type { BenchOptions, OpenBench, RunResult } from "./kit/bench.ts";
import { report } from "./kit/report.ts";
import { setWholeStage, type WholeStage } from "./kit/whole-stage.ts";
import { runLoop } from "./loop/run-loop.ts";

const USAGE = `pnpm bench <name …> [--short] [--runs N] [--set NAME=NUMBER …]

  loop       the way of one order: from the store's webhook to the event that the host verified
  ingest     webhooks stored for good: at most, at a steady pace, in a burst; beside what the machine can at best
  deliver    events to a healthy host; and from a provider's webhook to the verified event, at 200 and 1,000 a second
  dedupe     one webhook in five comes again: one event per order all the same (--set webhooks=1000000)
  fairness   a quiet tenant beside one with 100,000 waiting deliveries; a killed worker's lanes
  replay     live webhooks beside a replay of 100,000
  retention  accepting webhooks while a large partition is dropped (--set megabytes=5000)
  idle       what it costs to have nothing to do, with one workspace and with 1,000
  all        all of them

  --short    a quick look, some seconds and one run
  --runs N   how often (3); the table shows medians
  --set      changes a number of the bench, such as seconds=60

Every bench keeps its raw figures in bench-results/ and fails when something was lost or doubled.`;

const BENCHES: Readonly<Record<string, OpenBench>> = {
  ingest: openIngest,
  deliver: openDeliver,
  dedupe: openDedupe,
  fairness: openFairness,
  replay: openReplay,
  retention: openRetention,
  idle: openIdle,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  args: process.argv.slice(2).filter((argument) => argument !== "--"),
  options: {
    short: { type: "boolean", default: false },
    runs: { type: "string" },
    set: { type: "string", multiple: true, default: [] },
  },
});
const numbers = new Map(values.set.map(parseSetting));
const names = positionals[0] === "all" ? ["loop", ...Object.keys(BENCHES)] : positionals;
if (names.length === 0 || !names.every((name) => name === "loop" || name in BENCHES)) {
  say(USAGE);
  process.exit(positionals.length === 0 ? 0 : 2);
}
let stage: Promise<WholeStage> | null = null;
const options: BenchOptions = {
  short: values.short,
  say,
  count: (name, fallback) => numbers.get(name) ?? fallback,
  whole: () => (stage ??= setWholeStage({ PATCHBAY_LEASE_SECONDS: values.short ? "2" : "30" })),
};
let broken = 0;
try {
  for (const name of names) broken += name === "loop" ? await loop() : await runBench(name);
} finally {
  await (stage as Promise<WholeStage> | null)?.then((each) => each.close());
}
process.exit(broken === 0 ? 0 : 1);

async function runBench(name: string): Promise<number> {
  const open = BENCHES[name];
  if (open === undefined) throw new Error(`no bench ${name}`);
  const runs = values.runs === undefined ? (values.short ? 1 : 3) : Number(values.runs);
  say(`${name}: setting the stage …`);
  const bench = await open(options);
  const results: RunResult[] = [];
  try {
    for (let run = 1; run <= runs; run++) {
      say(`run ${run} of ${runs}`);
      results.push(await bench.run());
    }
  } finally {
    await bench.close();
  }
  await report(name, results, say);
  return results.reduce((sum, result) => sum + result.broken.length, 0);
}

/** A store gives 100 points a second, and reading an order with its customer takes some 20: beyond 4 orders a second the figures show the provider's budget, not us. */
function loop(): Promise<number> {
  const { short, count } = options;
  return runLoop({
    orders: count("orders", short ? 20 : 50),
    rate: count("rate", 3),
    seconds: count("seconds", short ? 5 : 20),
  });
}

function parseSetting(text: string): readonly [string, number] {
  const [, name = "", number = ""] = /^([a-zA-Z]+)=(\d{1,9})$/.exec(text) ?? [];
  if (name !== "") return [name, Number(number)];
  console.error(`--set takes NAME=NUMBER, such as seconds=60; ${JSON.stringify(text)} is none`);
  process.exit(2);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
