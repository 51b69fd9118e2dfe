import { registerHooks } from "node:module";
import { readFileSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { mutantNamed, mutate } from "./mutants/mutants.ts";

/**
 * Loaded before the product into every process that these tests kill (`node --import`). Nothing in the product knows of
 * it: the database driver is exchanged for one that can be watched, and a planted bug is put into the source text on its
 * way into the process.
 */
const SOURCE = new URL("../../packages/backend/src/", import.meta.url).href;
const WATCHED = new URL("failpoints/watched-postgres.ts", import.meta.url).href;
const mutantName = process.env["CRASH_MUTANT"];
const mutant = mutantName === undefined ? null : mutantNamed(mutantName);

registerHooks({
  resolve(specifier, context, next) {
    if (specifier === "postgres" && context.parentURL === `${SOURCE}platform/db/database.ts`) {
      return { url: WATCHED, format: "module-typescript", shortCircuit: true };
    }
    return next(specifier, context);
  },
  load(url, context, next) {
    const path = url.startsWith(SOURCE) ? url.slice(SOURCE.length) : null;
    if (mutant === null || path === null || !mutant.edits.some((edit) => edit.file === path)) return next(url, context);
    const source = mutate(mutant, path, readFileSync(fileURLToPath(pathToFileURL(fileURLToPath(url))), "utf8"));
    return { source, format: "module-typescript", shortCircuit: true };
  },
});
