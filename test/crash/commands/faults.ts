import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type postgres from "postgres";
import { startTcpProxy, type TcpProxy } from "../../harness/tcp-proxy.ts";
import { waitingWork } from "../collect-history.ts";
import { createCrashWorld, sandboxClock, STORES } from "../crash-world.ts";
import { databaseFaults, diskFull } from "../faults/database-faults.ts";
import { runFaults, type Fault } from "../faults/faults.ts";
import { networkFaults } from "../faults/network-faults.ts";
import { mulberry32 } from "../random-kills.ts";
import { startReceiver } from "../receiver.ts";
import { startStandaloneServer, type StandaloneServer, type Through } from "../standalone-ground.ts";
import { say, sayVerdict, seconds, wholeNumber } from "./say.ts";

const ROUNDS_MAX = 10_000;
const LASTS_MS = 2_000;
const DISK_MB = 700;

/** `pnpm crash database [--rounds 10]`: the database server killed, shut down, out of connections and of disk. */
export function commandDatabase(args: readonly string[]): Promise<number> {
  return withDisk(async (disk) => {
    const server = await startStandaloneServer({ fsync: true, ...(disk === null ? {} : { dataDir: disk }) });
    return runWorld(args, server, {}, (sql) => [
      ...databaseFaults(server, sql, LASTS_MS),
      ...(disk === null ? [] : [diskFull(server, disk, LASTS_MS)]),
    ]);
  });
}

/** `pnpm crash network [--rounds 10]`: each wire of the product reset, silent, half open, slow. */
export async function commandNetwork(args: readonly string[]): Promise<number> {
  const server = await startStandaloneServer({ fsync: false });
  const wires: Record<string, TcpProxy> = {};
  const through: Through = {
    async database(connection) {
      wires["database"] = await startTcpProxy({ path: `${connection.host}/.s.PGSQL.${connection.port}` });
      return { ...connection, host: "127.0.0.1", port: wires["database"].port };
    },
    async provider(url) {
      wires["provider"] = await startTcpProxy({ host: "127.0.0.1", port: Number(new URL(url).port) });
      return `http://localhost:${wires["provider"].port}`;
    },
    async inbox(url) {
      wires["inbox"] = await startTcpProxy({ host: "127.0.0.1", port: Number(new URL(url).port) });
      return `http://localhost:${wires["inbox"].port}`;
    },
    async host(port) {
      wires["host"] = await startTcpProxy({ host: "127.0.0.1", port });
      return wires["host"].port;
    },
  };
  try {
    return await runWorld(args, server, through, () => networkFaults(wires, LASTS_MS));
  } finally {
    for (const wire of Object.values(wires)) await wire.close();
  }
}

async function runWorld(
  args: readonly string[],
  server: StandaloneServer,
  through: Through,
  faultsOf: (sql: postgres.Sql) => readonly Fault[],
): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { rounds: { type: "string", default: "3" }, seed: { type: "string" }, only: { type: "string" } },
  });
  const rounds = wholeNumber("rounds", values.rounds, ROUNDS_MAX);
  const seed = wholeNumber("seed", values.seed ?? String(1 + (Date.now() % 1_000_000)), 2 ** 32);
  const clock = sandboxClock();
  const receiver = await startReceiver((port) => through.host?.(port) ?? Promise.resolve(port));
  const ground = await server.ground({ clock, endpointOrigin: receiver.origin, through });
  const world = await createCrashWorld(ground, clock, receiver);
  const startedMs = performance.now();
  const random = mulberry32(seed);
  let count = 0;
  try {
    await world.addEndpoint("host");
    for (const store of STORES) await world.connect(undefined, store);
    await world.settle();
    const faults = faultsOf(ground.database.sql).filter(({ name }) => name.includes(values.only ?? ""));
    say(`${rounds} rounds of ${faults.length} faults with seed ${seed} …`);
    for (let round = 0; round < rounds; round++) {
      await runFaults(world, faults, random, async (name) => {
        count += 1;
        const restedMs = await world.settle();
        if (restedMs === null) say(JSON.stringify(await waitingWork(ground.database.sql)));
        say(`  ${name}: ${restedMs === null ? "NEVER at rest" : `at rest after ${restedMs} ms`}`);
      });
    }
    say(`faults ${count} in ${seconds(startedMs)} s, ${world.accepted.size} webhooks answered 2xx`);
    say(
      `events ${receiver.acted.length} acted on, ${receiver.receipts.length - receiver.acted.length} delivered again`,
    );
    return sayVerdict(await world.violations());
  } finally {
    await world.stop();
    await ground.close();
    await server.stop();
    await receiver.close();
  }
}

/** A small disk in memory, where this system lets us have one. */
async function withDisk(work: (folder: string | null) => Promise<number>): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "patchbay-disk-"));
  let mounted = false;
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${DISK_MB}m`, "patchbay-crash", folder], { stdio: "ignore" });
    mounted = true;
  } catch {
    say("no disk of our own can be mounted here (that takes root): the full disk is left out");
  }
  try {
    return await work(mounted ? folder : null);
  } finally {
    if (mounted) execFileSync("umount", ["-l", folder], { stdio: "ignore" });
    await rm(folder, { recursive: true, force: true });
  }
}
