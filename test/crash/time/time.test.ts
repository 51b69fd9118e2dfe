import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestProduct, type TestProduct } from "../../harness/product.ts";
import { createCrashWorld, LEASE, sandboxClock, type CrashWorld } from "../crash-world.ts";
import { runFaults } from "../faults/faults.ts";
import { mulberry32 } from "../random-kills.ts";
import { startReceiver, type Receiver } from "../receiver.ts";
import { createWallClock, findFaketime } from "./faketime.ts";
import { clocksSet, paused, startPair, type Pair } from "./time-faults.ts";

/** `pnpm crash time` pauses for up to a minute. */
const LASTS_MS = 2_500;
const HOUR_MS = 3_600_000;
const TEST_MS_MAX = 120_000;

const library = findFaketime();
if (library === null) process.stdout.write("libfaketime is not installed, clocks are left out\n");

let folder: string;
let ground: TestProduct;
let receiver: Receiver;
let world: CrashWorld;
let pair: Pair;

beforeAll(async () => {
  const clock = sandboxClock();
  folder = await mkdtemp(join(tmpdir(), "patchbay-clocks-"));
  const clockOf = (part: string, path: string) => createWallClock(path, join(folder, part));
  const clocks =
    library === null ? null : { server: await clockOf("server", library), worker: await clockOf("worker", library) };
  receiver = await startReceiver();
  ground = await startTestProduct({
    roles: { api: false, worker: false },
    sandbox: { clock },
    endpointOrigins: [receiver.origin],
    env: { ...LEASE, ...clocks?.server.env },
  });
  world = await createCrashWorld(ground, clock, receiver);
  pair = await startPair(world, clocks);
});
afterAll(async () => {
  await pair.worker.stop();
  await world.stop();
  await ground.close();
  await receiver.close();
  await rm(folder, { recursive: true, force: true });
});

test(
  "keeps every promise while its processes stand still and their wall clocks are hours apart",
  { timeout: TEST_MS_MAX },
  async () => {
    await world.addEndpoint("host");
    await world.connect();
    const seed = Date.now() % 1_000_000;
    const { clocks } = pair;
    const faults = [
      paused(pair, "server", LASTS_MS),
      paused(pair, "worker", LASTS_MS),
      ...(clocks === null ? [] : [clocksSet(clocks, { server: HOUR_MS, worker: -HOUR_MS }, LASTS_MS)]),
    ];
    await runFaults(world, faults, mulberry32(seed));
    await world.settle();
    expect(await world.violations(), `seed ${seed}`).toEqual([]);
    // Signatures too bear the right time.
    expect(receiver.forged).toBe(0);
  },
);
