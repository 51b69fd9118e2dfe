import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { CHILD_ENV } from "../harness/child-env.ts";

/** One life of the product in a process of its own. */
export interface Child {
  readonly pid: number;
  /** Returns when the process is gone of itself. */
  ended(): Promise<void>;
  /** SIGKILL; returns when the process is gone. */
  kill(): Promise<void>;
  /** SIGTERM, and SIGKILL when that does not help. */
  stop(): Promise<void>;
}

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const END_WITH_PARENT = new URL("end-with-parent.ts", import.meta.url).href;
/** A start takes seconds; on a machine that does six things at once it took thirty. */
const READY_MS_MAX = 60_000;
const STOP_MS_MAX = 28_000;

/** Starts `node <script> <args>` and waits for a line of its output that says `ready`. It ends with this process. */
export async function startChild(input: {
  readonly script: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly ready: string;
}): Promise<Child> {
  const child = spawn(process.execPath, ["--import", END_WITH_PARENT, `${ROOT}${input.script}`, ...input.args], {
    cwd: ROOT,
    env: { ...CHILD_ENV, ...input.env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${input.script} did not start`);
  const gone = once(child, "exit");
  try {
    await untilReady(child, input.ready);
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await gone;
  };
  return {
    pid,
    ended: async () => void (await gone),
    kill: () => end("SIGKILL"),
    async stop() {
      const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS_MAX);
      await end("SIGTERM");
      clearTimeout(timer);
    },
  };
}

/** The backend, API and worker in one process. */
export function startServer(env: Readonly<Record<string, string>>): Promise<Child> {
  return startChild({ script: "packages/backend/src/main.ts", args: ["serve"], env, ready: "Patchbay is ready" });
}

function untilReady(child: ChildProcess, ready: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let output = "";
    const fail = (reason: string) => reject(new Error(`${reason}:\n${output.slice(-4_000)}`));
    const timer = setTimeout(() => fail(`not ready after ${READY_MS_MAX} ms`), READY_MS_MAX);
    child.once("exit", (code, signal) => {
      clearTimeout(timer);
      fail(`ended before it was ready (${code ?? signal})`);
    });
    const hear = (chunk: Buffer) => {
      output += chunk.toString("utf8");
      if (!output.includes(ready)) return;
      clearTimeout(timer);
      resolve();
    };
    child.stdout?.on("data", hear);
    child.stderr?.on("data", hear);
  });
}
