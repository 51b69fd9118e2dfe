import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { Progress } from "./progress.mjs";
import { runQuietly } from "./quiet.mjs";
import { orUnwritable, Stop } from "./stop.mjs";

/** What others load must be built; all else runs from source. */
const BUILDS = [
  { name: "the widget", folder: "packages/embed-widget", tool: "vite", args: ["build"] },
  { name: "the widget's types", folder: "packages/embed-widget", tool: "tsdown", args: [] },
  { name: "the SDK", folder: "packages/node-sdk", tool: "tsdown", args: [] },
];
/** Both take types, and the widget constants, from here. */
const SHARED = "packages/shared/src";
const BUILD_MS_MAX = 5 * 60_000;
const OUTPUT_LINES_SHOWN = 40;

/** The packages whose sources differ from those of their last build. */
export function staleBuilds(root) {
  return BUILDS.flatMap((build) => {
    const folder = join(root, build.folder);
    const stamp = join(folder, "dist", `.built-by-${build.tool}`);
    const sources = hashOf([folder, join(root, SHARED)], join(root, "pnpm-lock.yaml"));
    return read(stamp) === sources ? [] : [{ ...build, folder, stamp, sources }];
  });
}

/** Runs one package's build under `node`; its output is shown only when it fails. */
export async function buildStale(node, { name, folder, tool, args, stamp, sources }) {
  const progress = new Progress(`Building ${name}`);
  try {
    rmSync(stamp, { force: true });
  } catch (error) {
    throw orUnwritable(error, folder);
  }
  const { code, output } = await runQuietly({
    program: node,
    args: [programOf(folder, tool), ...args],
    cwd: folder,
    env: { ...process.env, NODE_ENV: "production" },
    timeoutMs: BUILD_MS_MAX,
  });
  if (code !== 0) {
    progress.failed();
    const last = output.trimEnd().split("\n").slice(-OUTPUT_LINES_SHOWN).join("\n");
    throw new Stop(`${last}\n\nBuilding ${name} failed; what ${tool} said is above.`);
  }
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, sources);
  progress.done();
}

/** A tool's program file, as its package names it: the shell scripts in `.bin` do not run everywhere. */
function programOf(folder, tool) {
  const home = join(folder, "node_modules", tool);
  const { bin } = JSON.parse(readFileSync(join(home, "package.json"), "utf8"));
  return join(home, typeof bin === "string" ? bin : bin[tool]);
}

function hashOf(folders, ...files) {
  const hash = createHash("sha256");
  for (const folder of folders) {
    for (const file of sourcesIn(folder)) hash.update(`\0${relative(folder, file)}\0`).update(readFileSync(file));
  }
  for (const file of files) hash.update(readFileSync(file));
  return `${hash.digest("hex")}\n`;
}

function sourcesIn(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.name !== "node_modules" && entry.name !== "dist" && !entry.name.includes(".test."))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? sourcesIn(path) : [path];
    });
}

function read(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}
