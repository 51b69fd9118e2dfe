import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildStale, staleBuilds } from "./build.mjs";
import { findNode, isInstalled, install } from "./install.mjs";
import { runToEnd } from "./run.mjs";
import { Stop } from "./stop.mjs";
import { takeTurn } from "./turn.mjs";

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Installs and builds what changed since the last time, then goes on under the repo's own Node. */
export async function main([command, ...rest]) {
  try {
    const argumentsOf = COMMANDS[command];
    if (argumentsOf === undefined) throw new Stop("Say `npm start` or `npm test`.");
    if (command === "patchbay") refuseUninstalled();
    else await prepare();
    process.exitCode = await runToEnd(findNode(ROOT), [...NODE_FLAGS, ...argumentsOf(rest)], ROOT);
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    console.error(`\n${error.message}`);
    process.exitCode = 1;
  }
}

/** A system Node 24 calls things experimental that are settled in our own. */
const NODE_FLAGS = ["--disable-warning=ExperimentalWarning"];

const COMMANDS = {
  start: (rest) => [join(ROOT, "scripts/start.ts"), ...rest],
  patchbay: (rest) => [join(ROOT, "packages/backend/src/main.ts"), ...rest],
  test: (rest) => [
    join(ROOT, "node_modules/vitest/vitest.mjs"),
    "run",
    "--reporter=default",
    "--reporter=./test/harness/summary-reporter.ts",
    ...rest,
  ],
};

/** A command of the operator's installs nothing by itself. */
function refuseUninstalled() {
  if (existsSync(join(ROOT, "packages/backend/node_modules"))) return;
  throw new Stop("Nothing is installed here yet: run `npm start` once, or `npx pnpm install`, then this again.");
}

/** Two starts at once take turns; the second finds the work done. */
async function prepare() {
  if (isInstalled(ROOT) && staleBuilds(ROOT).length === 0) return;
  const turn = await takeTurn(ROOT);
  try {
    if (!isInstalled(ROOT)) await install(ROOT);
    const node = findNode(ROOT);
    for (const stale of staleBuilds(ROOT)) await buildStale(node, stale);
  } finally {
    turn.end();
  }
}
