import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestProduct, type TestProduct } from "../harness/product.ts";
import { createCrashWorld, LEASE, sandboxClock, type CrashWorld } from "./crash-world.ts";
import { killRepeatedly } from "./random-kills.ts";
import { startReceiver, type Receiver } from "./receiver.ts";

const KILLS = 15;

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

test("killed again and again under load, it loses nothing, doubles nothing and ends as the store is", async () => {
  await world.addEndpoint("host");
  const dropped = await world.addEndpoint("dropped");
  await world.connect();
  const seed = Date.now() % 1_000_000;
  const summary = await killRepeatedly(world, clock, {
    kills: KILLS,
    seed,
    inLife: async (life) => {
      if (life === Math.ceil(KILLS / 2)) await world.workspace.sdk.webhookEndpoints.delete(dropped);
    },
  });
  expect(summary, `seed ${seed}`).toMatchObject({ kills: KILLS, violations: [] });
  expect(summary.accepted).toBeGreaterThan(KILLS);
  expect(receiver.forged).toBe(0);
});
