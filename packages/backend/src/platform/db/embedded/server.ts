import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chown, open, readFile, rename, stat } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import type { Account } from "./account.ts";
import type { Binaries } from "./binaries.ts";
import { brokenCluster } from "./cluster.ts";
import { EmbeddedPostgresError } from "./error.ts";
import type { Folder } from "./folder.ts";
import { POLL_MS, readyPostmaster, type Postmaster } from "./postmaster.ts";

interface LaunchOptions {
  readonly folder: Folder;
  readonly account: Account;
  readonly binaries: Binaries;
  readonly socketDir: string;
  readonly port: number;
  readonly tcp: boolean;
  readonly fsync: boolean;
}

/** Starts the server and waits until it accepts connections, crash recovery included. */
export async function launchServer(options: LaunchOptions): Promise<Postmaster> {
  const deadline = performance.now() + LEFTOVERS_TIMEOUT_MS;
  for (;;) {
    const outcome = await launchOnce(options);
    if ("pid" in outcome) return outcome;
    // Children of a killed server end by themselves, but not at once.
    const leftovers = outcome.output.includes("is still in use");
    if (!leftovers || performance.now() > deadline) throw failure(options, outcome.output);
    await delay(POLL_MS * 5);
  }
}

const START_TIMEOUT_MS = 120_000;
const LEFTOVERS_TIMEOUT_MS = 20_000;
const LOG_BYTES_MAX = 10 * 1024 * 1024;
const LOG_TAIL_CHARS = 4_000;

async function launchOnce(options: LaunchOptions): Promise<Postmaster | { readonly output: string }> {
  const { folder, account, binaries } = options;
  const log = await openLog(folder, account);
  try {
    const [program, ...rest] = [...account.prefix, binaries.postgres, ...settings(options)];
    if (program === undefined) throw new Error("no command");
    const server = spawn(program, rest, {
      ...account.identity,
      cwd: folder.root,
      env: { ...binaries.environment },
      stdio: ["ignore", log.file.fd, log.file.fd],
      detached: true, // its own group: Ctrl-C in the terminal must not stop it under the product
    });
    const ready = await readyOrExited(server, folder);
    if (ready !== null) return ready;
    return { output: (await readFile(folder.serverLog, "utf8")).slice(log.offset).slice(-LOG_TAIL_CHARS) };
  } finally {
    await log.file.close();
  }
}

function settings(options: LaunchOptions): readonly string[] {
  const values = {
    listen_addresses: options.tcp ? "127.0.0.1" : "",
    port: String(options.port),
    unix_socket_directories: `"${options.socketDir}"`,
    unix_socket_permissions: "0700",
    cluster_name: "patchbay",
    timezone: "UTC",
    log_timezone: "UTC",
    max_connections: "200",
    ...(options.fsync ? {} : { fsync: "off", full_page_writes: "off", synchronous_commit: "off" }),
  };
  const flags = Object.entries(values).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  return ["-D", options.folder.cluster, ...flags];
}

async function readyOrExited(server: ChildProcess, folder: Folder): Promise<Postmaster | null> {
  let exited = false;
  const exit = once(server, "exit").then(() => (exited = true));
  await once(server, "spawn");
  server.unref();
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (performance.now() < deadline) {
    const ready = await readyPostmaster(folder.cluster, server.pid ?? 0);
    if (ready !== null) return ready;
    if (exited) return null;
    await Promise.race([exit, delay(POLL_MS)]);
  }
  server.kill("SIGINT");
  throw new EmbeddedPostgresError(
    `The embedded database was not ready after ${START_TIMEOUT_MS / 1000} s; see ${folder.serverLog}.`,
  );
}

async function openLog(folder: Folder, account: Account) {
  const present = await stat(folder.serverLog).catch(() => null);
  if (present !== null && present.size > LOG_BYTES_MAX) await rename(folder.serverLog, `${folder.serverLog}.old`);
  const file = await open(folder.serverLog, "a", 0o600);
  await chown(folder.serverLog, account.owner.uid, account.owner.gid);
  return { file, offset: (await file.stat()).size };
}

function failure({ folder, port, tcp }: LaunchOptions, output: string): EmbeddedPostgresError {
  if (tcp && /could not bind .*Address already in use/.test(output)) {
    return new EmbeddedPostgresError(`Port ${port} is in use; choose another for the embedded database.`);
  }
  const lines = output.split("\n").filter((line) => line.trim() !== "");
  const fatal = lines.findLast((line) => /\b(FATAL|PANIC):/.test(line)) ?? lines.at(-1) ?? "it said nothing";
  const reason = fatal.replace(/^.*?\b(FATAL|PANIC):\s*/, "").trim();
  return new EmbeddedPostgresError(`${brokenCluster(folder, reason)} Its log is ${folder.serverLog}.`);
}
