import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestProduct, type TestProduct } from "../harness/product.ts";
import { createCrashWorld, LEASE, sandboxClock, STORES, type CrashWorld } from "./crash-world.ts";
import { killRepeatedly } from "./random-kills.ts";
import { startReceiver, type Receiver } from "./receiver.ts";

/** `pnpm crash --kills 10000` does more, in several worlds. */
const KILLS = 300;
/** The first of what a slow machine must do. */
const KILLS_MIN = 2;
const KILLING_MS_MAX = 75_000;
const TEST_MS_MAX = 240_000;

const clock = sandboxClock();
let ground: TestProduct;
let receiver: Receiver;
let world: CrashWorld;

beforeAll(async () => {
  receiver = await startReceiver();
  ground = await startTestProduct({
    roles: { api: false, worker: false },
    sandbox: { clock },
    endpointOrigins: [receiver.origin],
    env: LEASE,
  });
  world = await createCrashWorld(ground, clock, receiver);
});
afterAll(async () => {
  await world.stop();
  await ground.close();
  await receiver.close();
});

test(
  "killed again and again under load, it loses nothing, doubles nothing and ends as the store is",
  { timeout: TEST_MS_MAX },
  async () => {
    await world.addEndpoint("host");
    const dropped = await world.addEndpoint("dropped");
    for (const store of STORES) await world.connect(undefined, store);
    const seed = Date.now() % 1_000_000;
    const summary = await killRepeatedly(world, clock, {
      kills: KILLS,
      killingMsMax: KILLING_MS_MAX,
      seed,
      inLife: async (life) => {
        if (life === KILLS_MIN) await world.workspace.sdk.webhookEndpoints.delete(dropped);
      },
    });
    process.stdout.write(`${summary.kills} kills in ${Math.round(summary.elapsedMs / 1_000)} s, seed ${seed}\n`);
    expect(summary.violations, `seed ${seed}`).toEqual([]);
    expect(summary.kills).toBeGreaterThanOrEqual(KILLS_MIN);
    expect(summary.accepted).toBeGreaterThan(KILLS_MIN);
    expect(receiver.forged).toBe(0);
  },
);
