#!/usr/bin/env node
import { bindCommands } from "./commands.ts";
import { explainStartError } from "./start-error.ts";
import { createProgram } from "./surface/cli/index.ts";

/** The `patchbay` command. The only reader of the environment. */
try {
  await createProgram(bindCommands({ env: process.env, cwd: process.cwd() })).parseAsync();
} catch (error) {
  const expected = explainStartError(error);
  process.stderr.write(`${expected?.message ?? (error instanceof Error ? error.stack : String(error))}\n`);
  process.exit(expected?.exitCode ?? 1);
}
