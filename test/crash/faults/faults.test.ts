import { afterAll, beforeAll, expect, test } from "vitest";
import { createCrashWorld, sandboxClock, type CrashWorld } from "../crash-world.ts";
import { mulberry32 } from "../random-kills.ts";
import { startReceiver, type Receiver } from "../receiver.ts";
import { startStandaloneServer, type StandaloneGround, type StandaloneServer } from "../standalone-ground.ts";
import { databaseFaults } from "./database-faults.ts";
import { runFaults } from "./faults.ts";

/** `pnpm crash database` does more, for longer, and fills the disk. */
const LASTS_MS = 700;
const TEST_MS_MAX = 120_000;

let server: StandaloneServer;
let ground: StandaloneGround;
let receiver: Receiver;
let world: CrashWorld;

beforeAll(async () => {
  const clock = sandboxClock();
  receiver = await startReceiver();
  // As in production: a server that does not wait for its disk loses what it had acknowledged when it is killed.
  server = await startStandaloneServer({ fsync: true });
  ground = await server.ground({ clock, endpointOrigin: receiver.origin });
  world = await createCrashWorld(ground, clock, receiver);
});
afterAll(async () => {
  await world.stop();
  await ground.close();
  await server.stop();
  await receiver.close();
});

test(
  "lives on, and keeps every promise, while its database is killed, shut down, cut off and full of others",
  { timeout: TEST_MS_MAX },
  async () => {
    await world.addEndpoint("host");
    await world.connect();
    const { pid } = world.child;
    const seed = Date.now() % 1_000_000;
    await runFaults(world, databaseFaults(server, ground.database.sql, LASTS_MS), mulberry32(seed));
    await world.settle();
    expect(await world.violations(), `seed ${seed}`).toEqual([]);
    // The same process as before: it did not need to be started again.
    expect(() => process.kill(pid, 0)).not.toThrow();
    expect(receiver.forged).toBe(0);
  },
);
