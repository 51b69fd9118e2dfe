import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { dirname } from "node:path";

/**
 * Loaded first into the processes of these tests (`node --import`): what a process found out about where modules are,
 * the next ones know. Node reads the whole `package.json` of a package at every import from it, which takes two thirds
 * of a start.
 */
const WRITE_AFTER_MS = 200;

type Found = readonly [url: string, format: string];

const file = process.env["CRASH_MODULES"];
const known = new Map<string, Found>(file === undefined ? [] : read(file));
let write: NodeJS.Timeout | undefined;

registerHooks({
  resolve(specifier, context, next) {
    const how = context.conditions.includes("require") ? "require" : "import";
    const key = [how, specifier, context.parentURL].join(" ");
    const found = known.get(key);
    if (found !== undefined) return { url: found[0], format: found[1], shortCircuit: true };
    const resolved = next(specifier, context);
    if (file !== undefined && resolved.url.startsWith("file:") && typeof resolved.format === "string") {
      known.set(key, [resolved.url, resolved.format]);
      clearTimeout(write);
      write = setTimeout(() => keep(file), WRITE_AFTER_MS).unref();
    }
    return resolved;
  },
});

function read(path: string): Iterable<readonly [string, Found]> {
  try {
    // Our own words: the file is named after all that they depend on.
    return JSON.parse(readFileSync(path, "utf8")) as [string, Found][];
  } catch {
    return [];
  }
}

/** At once or not at all: others read it meanwhile. */
function keep(path: string): void {
  const draft = `${path}.${process.pid}`;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(draft, JSON.stringify([...known]));
  renameSync(draft, path);
}
