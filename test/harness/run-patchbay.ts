import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { CHILD_ENV } from "./child-env.ts";

const MAIN = fileURLToPath(new URL("../../packages/backend/src/main.ts", import.meta.url));
const EXIT_MS_MAX = 60_000;

/** `patchbay <args>` in a process of its own, to its end. */
export async function runPatchbay(
  args: readonly string[],
  { cwd, env }: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
): Promise<{ readonly code: number | null; readonly said: string }> {
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd,
    env: { ...CHILD_ENV, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const timer = setTimeout(() => child.kill("SIGKILL"), EXIT_MS_MAX);
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  clearTimeout(timer);
  return { code, said };
}
