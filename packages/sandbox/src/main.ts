import { parseArgs } from "node:util";
import { startSandbox } from "./start.ts";

const DEFAULT_PORT = 4403;

const { values } = parseArgs({
  options: { port: { type: "string" }, seed: { type: "string" }, state: { type: "string" } },
});

const sandbox = await startSandbox({
  port: Number(values.port ?? DEFAULT_PORT),
  seed: Number(values.seed ?? 1),
  ...(values.state === undefined ? {} : { stateFile: values.state }),
  log: (line) => process.stdout.write(`${line}\n`),
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    void sandbox.close().then(() => process.exit(0));
  });
}
