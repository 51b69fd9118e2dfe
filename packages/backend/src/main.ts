#!/usr/bin/env node
import { bindCommands } from "./commands.ts";
import { explainStartError } from "./start-error.ts";
import { createProgram } from "./surface/cli/index.ts";

/** The `patchbay` command. The only reader of the environment. */
// A reader that has seen enough, such as `| head`, must not end the command before it has stopped the database.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});
try {
  await createProgram(bindCommands({ env: process.env, cwd: process.cwd() })).parseAsync();
} catch (error) {
  const { message, exitCode } = explainStartError(error);
  process.stderr.write(`${message}\n`);
  process.exit(exitCode);
}
