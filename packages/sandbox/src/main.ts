import { parseArgs } from "node:util";
import { startSandbox } from "./start.ts";

const DEFAULT_PORT = 4403;

const { values } = parseArgs({
  options: { port: { type: "string" }, seed: { type: "string" }, state: { type: "string" } },
});

try {
  await run();
} catch (error) {
  process.stderr.write(`the sandbox could not start: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

async function run(): Promise<void> {
  const sandbox = await startSandbox({
    port: wholeNumber("port", values.port, DEFAULT_PORT),
    seed: wholeNumber("seed", values.seed, 1),
    ...(values.state === undefined ? {} : { stateFile: values.state }),
    log: (line) => process.stdout.write(`${line}\n`),
  });
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      void sandbox.close().then(() => process.exit(0));
    });
  }
}

function wholeNumber(name: string, given: string | undefined, fallback: number): number {
  if (given === undefined) return fallback;
  if (!/^\d{1,9}$/.test(given)) throw new Error(`--${name} must be a whole number, not ${given}`);
  return Number(given);
}
