import { explainStartError } from "@patchbay/backend";
import { startDemo } from "./start/demo.ts";
import { say, sayReady } from "./start/say.ts";

/**
 * `npm start`: the whole product on this machine. Backend and worker, the embedded database, the Shopify sandbox and an
 * example product that embeds the widget, in one process and one terminal.
 */
const startedMs = performance.now();
// Listening before anything starts: a Ctrl-C during the start stops what is there as soon as it can be stopped.
const stopped = new Promise<void>((resolve) => {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => resolve());
});
try {
  const demo = await startDemo({ env: process.env, cwd: process.cwd(), say });
  sayReady(demo, performance.now() - startedMs);
  await stopped;
  say("stopping …");
  await demo.close();
  say(`stopped; your data is kept in ${demo.dataDir}`);
  process.exit(0);
} catch (error) {
  const { message, exitCode } = explainStartError(error);
  process.stderr.write(`\n${message}\n`);
  process.exit(exitCode);
}
