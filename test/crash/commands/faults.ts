import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { waitingWork } from "../collect-history.ts";
import { createCrashWorld, sandboxClock, STORES, type CrashWorld } from "../crash-world.ts";
import { databaseFaults, diskFull } from "../faults/database-faults.ts";
import { runFaults, type Fault } from "../faults/faults.ts";
import { networkFaults } from "../faults/network-faults.ts";
import { proxiedWires } from "../faults/proxied-wires.ts";
import { mulberry32 } from "../random-kills.ts";
import { startReceiver } from "../receiver.ts";
import { startStandaloneServer, type StandaloneServer, type Through } from "../standalone-ground.ts";
import { createWallClock, findFaketime } from "../time/faketime.ts";
import { startPair, timeFaults, type Pair } from "../time/time-faults.ts";
import { say, sayVerdict, seconds, wholeNumber } from "./say.ts";

const ROUNDS_MAX = 10_000;
const LASTS_MS = 2_000;
const DISK_MB = 700;
const SHORTEST_MS = 5_000;
const LONGEST_SECONDS = 60;

/** `pnpm crash database [--rounds 10]`: the database server killed, shut down, out of connections and of disk. */
export function commandDatabase(args: readonly string[]): Promise<number> {
  return withDisk(async (disk) => {
    const server = await startStandaloneServer({ fsync: true, ...(disk === null ? {} : { dataDir: disk }) });
    return runWorld(args, {
      server,
      faultsOf: ({ world }) => [
        ...databaseFaults(server, world.ground.database.sql, LASTS_MS),
        ...(disk === null ? [] : [diskFull(server, disk, LASTS_MS)]),
      ],
    });
  });
}

/** `pnpm crash network [--rounds 10]`: each wire of the product reset, silent, half open, slow. */
export async function commandNetwork(args: readonly string[]): Promise<number> {
  const server = await startStandaloneServer({ fsync: false });
  const { wires, through } = proxiedWires();
  try {
    return await runWorld(args, {
      server,
      through,
      faultsOf: ({ random }) => networkFaults(wires, LASTS_MS, random),
    });
  } finally {
    for (const wire of Object.values(wires)) await wire.close();
  }
}

/** `pnpm crash time [--rounds 10] [--longest 60]`: processes paused, and their wall clocks set, for 5 to 60 seconds. */
export async function commandTime(args: readonly string[]): Promise<number> {
  const library = findFaketime();
  if (library === null) say("libfaketime is not installed (apt-get install faketime): clocks are left out");
  const folder = await mkdtemp(join(tmpdir(), "patchbay-clocks-"));
  const clockOf = (part: string, path: string) => createWallClock(path, join(folder, part));
  const clocks =
    library === null ? null : { server: await clockOf("server", library), worker: await clockOf("worker", library) };
  let pair: Pair | null = null;
  try {
    return await runWorld(args, {
      server: await startStandaloneServer({ fsync: false }),
      ...(clocks === null ? {} : { env: clocks.server.env }),
      async faultsOf({ world, random, longestMs }) {
        pair ??= await startPair(world, clocks);
        return timeFaults(pair, Math.min(SHORTEST_MS, longestMs), longestMs, random);
      },
      beforeEnd: async () => pair?.worker.stop(),
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Setting {
  readonly server: StandaloneServer;
  readonly through?: Through;
  readonly env?: Readonly<Record<string, string>>;
  /** For each round. */
  faultsOf(of: {
    readonly world: CrashWorld;
    readonly random: () => number;
    readonly longestMs: number;
  }): Promise<readonly Fault[]> | readonly Fault[];
  beforeEnd?(): Promise<void>;
}

async function runWorld(args: readonly string[], setting: Setting): Promise<number> {
  const { server, through = {} } = setting;
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: "string", default: "3" },
      seed: { type: "string" },
      only: { type: "string" },
      longest: { type: "string", default: String(LONGEST_SECONDS) },
    },
  });
  const rounds = wholeNumber("rounds", values.rounds, ROUNDS_MAX);
  const seed = wholeNumber("seed", values.seed ?? String(1 + (Date.now() % 1_000_000)), 2 ** 32);
  const longestMs = wholeNumber("longest", values.longest, LONGEST_SECONDS) * 1_000;
  const clock = sandboxClock();
  const receiver = await startReceiver((port) => through.host?.(port) ?? Promise.resolve(port));
  const ground = await server.ground({ clock, endpointOrigin: receiver.origin, through, env: setting.env ?? {} });
  const world = await createCrashWorld(ground, clock, receiver);
  const startedMs = performance.now();
  const random = mulberry32(seed);
  let count = 0;
  try {
    await world.addEndpoint("host");
    for (const store of STORES) await world.connect(undefined, store);
    await world.settle();
    say(`${rounds} rounds with seed ${seed} …`);
    for (let round = 0; round < rounds; round++) {
      const all = await setting.faultsOf({ world, random, longestMs });
      const faults = all.filter(({ name }) => name.includes(values.only ?? ""));
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
    say(`signatures that did not fit ${receiver.forged}`);
    const code = sayVerdict(await world.violations());
    return receiver.forged === 0 ? code : 1;
  } finally {
    await setting.beforeEnd?.();
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
