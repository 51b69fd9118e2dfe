import { afterAll, beforeAll, expect, test } from "vitest";
import { createCrashWorld, sandboxClock, type CrashWorld } from "../crash-world.ts";
import { mulberry32 } from "../random-kills.ts";
import { startReceiver, type Receiver } from "../receiver.ts";
import { startStandaloneServer, type StandaloneGround, type StandaloneServer } from "../standalone-ground.ts";
import { runFaults } from "./faults.ts";
import { networkFaults } from "./network-faults.ts";
import { proxiedWires } from "./proxied-wires.ts";

/** `pnpm crash network` does all on every wire, for longer. */
const LASTS_MS = 400;
const FAULTS = 3;
/** Nobody is told of it, so that it lasts until it is noticed: 35 s. */
const SLOW_TO_NOTICE = "database: half open";
const TEST_MS_MAX = 120_000;

const { wires, through } = proxiedWires();
let server: StandaloneServer;
let ground: StandaloneGround;
let receiver: Receiver;
let world: CrashWorld;

beforeAll(async () => {
  const clock = sandboxClock();
  receiver = await startReceiver((port) => through.host(port));
  server = await startStandaloneServer({ fsync: false });
  ground = await server.ground({ clock, endpointOrigin: receiver.origin, through });
  world = await createCrashWorld(ground, clock, receiver);
});
afterAll(async () => {
  await world.stop();
  await ground.close();
  await server.stop();
  await receiver.close();
  for (const wire of Object.values(wires)) await wire.close();
});

test(
  "lives on, and keeps every promise, while its wires are cut, silent, half open, slow and lossy",
  { timeout: TEST_MS_MAX },
  async () => {
    await world.addEndpoint("host");
    await world.connect();
    const seed = Date.now() % 1_000_000;
    const random = mulberry32(seed);
    const sample = networkFaults(wires, LASTS_MS, random)
      .filter(({ name }) => name !== SLOW_TO_NOTICE)
      .map((fault) => ({ fault, at: random() }))
      .toSorted((a, b) => a.at - b.at)
      .slice(0, FAULTS)
      .map(({ fault }) => fault);
    await runFaults(world, sample, random);
    await world.settle();
    const what = `seed ${seed}: ${sample.map(({ name }) => name).join(", ")}`;
    expect(await world.violations(), what).toEqual([]);
    expect(receiver.forged).toBe(0);
  },
);
