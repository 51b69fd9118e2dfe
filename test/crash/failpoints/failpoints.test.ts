import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestProduct, type TestProduct } from "../../harness/product.ts";
import { createCrashWorld, LEASE, sandboxClock, type CrashWorld } from "../crash-world.ts";
import { mulberry32 } from "../random-kills.ts";
import { startReceiver, type Receiver } from "../receiver.ts";
import { findFailpoints, killAt } from "./run-failpoints.ts";

/** Boundaries of each part of the way that a change takes: the sample must be able to hit all of them. */
const PARTS = [
  "received POST /in",
  "before with queue.arrivals",
  "before commit",
  "after commit",
  "before insert dirty_marks",
  "sending POST to the provider",
  "answer ended to POST to the provider",
  "before insert records",
  "before insert events",
  "before update runs",
  "before insert deliveries",
  "sending POST to the host",
  "answer began to POST to the host",
  "before insert attempts",
];
/** `pnpm crash failpoints` does all. */
const KILLS_MAX = 12;
const KILLING_MS_MAX = 12_000;
const TEST_MS_MAX = 120_000;

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
  "killed with -9 at boundaries of its work, each time another, it keeps every promise",
  { timeout: TEST_MS_MAX },
  async () => {
    await world.addEndpoint("host");
    await world.connect();
    await world.settle();
    const points = (await findFailpoints(world)).filter(({ nth }) => nth === 1);
    for (const part of PARTS)
      expect(
        points.some(({ boundary }) => boundary.startsWith(part)),
        part,
      ).toBe(true);

    const seed = Date.now() % 1_000_000;
    const random = mulberry32(seed);
    const sample = points
      .map((point) => ({ point, at: random() }))
      .toSorted((a, b) => a.at - b.at)
      .slice(0, KILLS_MAX)
      .map(({ point }) => point);
    const summary = await killAt(world, sample, { killingMsMax: KILLING_MS_MAX });
    await world.settle();
    expect(await world.violations(), `seed ${seed}`).toEqual([]);
    expect(summary.killed).toBeGreaterThan(0);
  },
);
