import { spawn, type ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
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
const REMEMBER = new URL("remember-modules.ts", import.meta.url).href;
const HELD = new URL("child-held.ts", import.meta.url).href;
const HOOKS = new URL("child-hooks.ts", import.meta.url).href;
/** A start takes seconds; on a machine that does six things at once it took thirty. */
const READY_MS_MAX = 60_000;
const STOP_MS_MAX = 28_000;
const REPORT_MS_MAX = 5_000;
const MAIN = "packages/backend/src/main.ts";

/** A process that has loaded the product already and waits. */
export interface Standby {
  /** Lets it begin. @returns when it is ready */
  begin(): Promise<Child>;
  /** SIGKILL, instead of a life. */
  drop(): void;
}

interface ChildInput {
  readonly script: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly ready: string;
  /** Lets the tests watch it, kill it at a boundary, and plant bugs in it. */
  readonly hooked?: boolean;
}

/** Starts `node <script> <args>` and waits for a line of its output that says `ready`. It ends with this process. */
export async function startChild(input: ChildInput): Promise<Child> {
  const { child, ready } = spawnChild(input, []);
  await ready();
  return asChild(child);
}

function spawnChild(input: ChildInput, more: readonly string[]) {
  const hooks = input.hooked === true ? [REMEMBER, HOOKS] : [];
  const imports = [END_WITH_PARENT, ...hooks, ...more].flatMap((url) => ["--import", url]);
  const child = spawn(process.execPath, [...imports, `${ROOT}${input.script}`, ...input.args], {
    cwd: ROOT,
    env: { ...CHILD_ENV, CRASH_MODULES: modulesFile(), ...input.env },
    stdio: ["pipe", "pipe", "pipe", "ipc"],
  });
  if (child.pid === undefined) throw new Error(`${input.script} did not start`);
  const ready = async () => {
    try {
      await untilReady(child, input.ready);
    } catch (error) {
      child.kill("SIGKILL");
      throw error;
    }
  };
  return { child, ready };
}

function asChild(child: ChildProcess): Child {
  const { pid } = child;
  if (pid === undefined) throw new Error("it did not start");
  const gone = child.exitCode !== null || child.signalCode !== null ? Promise.resolve() : once(child, "exit");
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
  return startChild(serverOf(env));
}

function serverOf(env: Readonly<Record<string, string>>): ChildInput {
  return { script: MAIN, args: ["serve"], env, ready: "Patchbay is ready", hooked: true };
}

/** The same, which loads now and begins when it is told: half of a start is over then. */
export function prepareServer(env: Readonly<Record<string, string>>): Standby {
  const { child, ready } = spawnChild(serverOf(env), [HELD]);
  return {
    async begin() {
      const begun = ready();
      child.send({ kind: "begin" } satisfies Order);
      await begun;
      return asChild(child);
    },
    drop: () => void child.kill("SIGKILL"),
  };
}

/** The worker alone. */
export function startWorker(env: Readonly<Record<string, string>>): Promise<Child> {
  return startChild({ script: MAIN, args: ["worker"], env, ready: "worker is running", hooked: true });
}

/** Named after all that says where modules are. */
function modulesFile(): string {
  const manifests = ["", ...globSync("packages/*/", { cwd: ROOT })].map((folder) => join(ROOT, folder, "package.json"));
  const hash = createHash("sha256");
  for (const path of [fileURLToPath(REMEMBER), join(ROOT, "pnpm-lock.yaml"), ...manifests])
    hash.update(readFileSync(path));
  return join(ROOT, "node_modules/.cache/crash-modules", `${hash.digest("base64url")}.json`);
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
