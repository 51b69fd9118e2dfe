import { execFile } from "node:child_process";
import { readFile, readlink, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { EmbeddedPostgresError } from "./error.ts";

/** A server that accepts connections. */
export interface Postmaster {
  readonly pid: number;
  readonly port: number;
  readonly socketDir: string;
}

/**
 * The server that already runs on this cluster, once it is ready; `null` when there is none. One that is just
 * stopping is waited for. A pid file whose process is dead, a zombie or somebody else is removed.
 */
export async function findPostmaster(cluster: string): Promise<Postmaster | null> {
  const deadline = performance.now() + ADOPT_TIMEOUT_MS;
  do {
    const noted = await readPidFile(cluster);
    if (noted === null) return null;
    const kind = await processKind(noted.pid, cluster);
    if (kind === "dead") return null; // the next server sees that for itself, and checks for left-over children
    if (kind === "not ours") {
      await rm(pidFile(cluster), { force: true });
      return null;
    }
    if (noted.ready) return noted;
    await delay(POLL_MS);
  } while (performance.now() < deadline);
  throw new EmbeddedPostgresError(
    `A database server left on ${cluster} is neither ready nor gone after ${ADOPT_TIMEOUT_MS / 1000} s: end it, then start again.`,
  );
}

/** The server with this pid as soon as it accepts connections; `null` until then. */
export async function readyPostmaster(cluster: string, pid: number): Promise<Postmaster | null> {
  const noted = await readPidFile(cluster);
  return noted !== null && noted.ready && noted.pid === pid ? noted : null;
}

/** Fast shutdown; immediate shutdown (safe, recovered on the next start) when that takes too long. */
export async function stopPostmaster(pid: number, cluster: string): Promise<void> {
  for (const [signal, timeoutMs] of STOP_STEPS) {
    if ((await processKind(pid, cluster)) !== "ours") return;
    signalProcess(pid, signal);
    if (await goneWithin(pid, cluster, timeoutMs)) return;
  }
  throw new EmbeddedPostgresError(`The embedded database (process ${pid}) does not stop.`);
}

/** How often a state that only the file system shows is looked at. */
export const POLL_MS = 20;

const ADOPT_TIMEOUT_MS = 60_000;
const STOP_STEPS: readonly (readonly [NodeJS.Signals, number])[] = [
  ["SIGINT", 20_000],
  ["SIGQUIT", 5_000],
];
const run = promisify(execFile);

const pidFile = (cluster: string) => join(cluster, "postmaster.pid");

/** @see https://www.postgresql.org/docs/18/storage-file-layout.html for the lines of the file */
async function readPidFile(cluster: string): Promise<(Postmaster & { readonly ready: boolean }) | null> {
  const text = await readFile(pidFile(cluster), "utf8").catch(() => null);
  if (text === null) return null;
  const [pid, , , port, socketDir, , , status] = text.split("\n");
  return {
    pid: Number.parseInt(pid ?? "", 10),
    port: Number.parseInt(port ?? "", 10),
    socketDir: socketDir ?? "",
    ready: status?.trim() === "ready",
  };
}

/** "dead": no such process. "not ours": a zombie, or a process that was given the same number later. */
async function processKind(pid: number, cluster: string): Promise<"ours" | "dead" | "not ours"> {
  if (!Number.isInteger(pid) || pid <= 1) return "not ours";
  if (!exists(pid)) return "dead";
  return process.platform === "linux" ? linuxKind(pid, cluster) : portableKind(pid, cluster);
}

/** A server's working folder is its cluster, under whatever name the folder is reached today. */
async function linuxKind(pid: number, cluster: string): Promise<"ours" | "dead" | "not ours"> {
  const status = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => null);
  if (status === null) return "dead";
  const [, name, state] = /^\d+ \((.*)\) (\S)/s.exec(status) ?? [];
  if (state === "Z" || state === "X" || name !== "postgres") return "not ours";
  try {
    await readlink(`/proc/${pid}/cwd`);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return "dead";
    throw new EmbeddedPostgresError(
      `The database in ${cluster} may be in use by another user's process ${pid}: end that first, or start Patchbay as that user.`,
      { cause: error },
    );
  }
  const [working, wanted] = await Promise.all([stat(`/proc/${pid}/cwd`).catch(() => null), stat(cluster)]);
  return working !== null && working.dev === wanted.dev && working.ino === wanted.ino ? "ours" : "not ours";
}

async function portableKind(pid: number, cluster: string): Promise<"ours" | "dead" | "not ours"> {
  const listed = await run("ps", ["-o", "stat=,command=", "-p", String(pid)]).catch(() => null);
  const line = listed?.stdout.trim() ?? "";
  if (line === "") return "dead";
  return !line.startsWith("Z") && line.includes("postgres") && line.includes(cluster) ? "ours" : "not ours";
}

async function goneWithin(pid: number, cluster: string, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (performance.now() < deadline) {
    if ((await processKind(pid, cluster)) !== "ours") return true;
    await delay(POLL_MS);
  }
  return false;
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
