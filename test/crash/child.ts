import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { CHILD_ENV } from "../harness/child-env.ts";
import type { Order } from "./failpoints/reach.ts";

/** One life of the product in a process of its own. */
export interface Child {
  readonly pid: number;
  /** To the hooks of `child-hooks.ts`, where it has them. */
  order(order: Order): void;
  /** How often each boundary was reached since it was told to count. */
  report(): Promise<Readonly<Record<string, number>>>;
  /** SIGSTOP and SIGCONT. */
  pause(): void;
  resume(): void;
  /** Returns when the process is gone of itself. */
  ended(): Promise<void>;
  /** SIGKILL; returns when the process is gone. */
  kill(): Promise<void>;
  /** SIGTERM, and SIGKILL when that does not help. */
  stop(): Promise<void>;
}

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const END_WITH_PARENT = new URL("end-with-parent.ts", import.meta.url).href;
const HOOKS = new URL("child-hooks.ts", import.meta.url).href;
/** A start takes seconds; on a machine that does six things at once it took thirty. */
const READY_MS_MAX = 60_000;
const STOP_MS_MAX = 28_000;
const REPORT_MS_MAX = 5_000;
const MAIN = "packages/backend/src/main.ts";

/** Starts `node <script> <args>` and waits for a line of its output that says `ready`. It ends with this process. */
export async function startChild(input: {
  readonly script: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly ready: string;
  /** Lets the tests watch it, kill it at a boundary, and plant bugs in it. */
  readonly hooked?: boolean;
}): Promise<Child> {
  const imports = [END_WITH_PARENT, ...(input.hooked === true ? [HOOKS] : [])].flatMap((url) => ["--import", url]);
  const child = spawn(process.execPath, [...imports, `${ROOT}${input.script}`, ...input.args], {
    cwd: ROOT,
    env: { ...CHILD_ENV, ...input.env },
    stdio: ["pipe", "pipe", "pipe", "ipc"],
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
    order: (order) => void child.send(order),
    async report() {
      const answer = once(child, "message", { signal: AbortSignal.timeout(REPORT_MS_MAX) });
      child.send({ kind: "report" } satisfies Order);
      // Our own hooks' words.
      const [counts] = (await answer) as [Readonly<Record<string, number>>];
      return counts;
    },
    pause: () => child.kill("SIGSTOP"),
    resume: () => child.kill("SIGCONT"),
    ended: async () => void (await gone),
    kill: () => end("SIGKILL"),
    async stop() {
      const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS_MAX);
      await end("SIGTERM");
      clearTimeout(timer);
    },
  };
}

/** The backend, API and worker in one process, with the hooks of these tests. */
export function startServer(env: Readonly<Record<string, string>>): Promise<Child> {
  return startChild({ script: MAIN, args: ["serve"], env, ready: "Patchbay is ready", hooked: true });
}

/** The worker alone. */
export function startWorker(env: Readonly<Record<string, string>>): Promise<Child> {
  return startChild({ script: MAIN, args: ["worker"], env, ready: "worker is running", hooked: true });
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
