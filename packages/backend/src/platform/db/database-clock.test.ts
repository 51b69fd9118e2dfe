import { describe, expect, test } from "vitest";
import type { Logger } from "../observability/index.ts";
import { followDatabaseClock } from "./database-clock.ts";
import type { Database } from "./database.ts";

const NOON_MS = Date.parse("2026-11-23T12:00:00Z");
const HOUR_MS = 3_600_000;

describe("the database's clock in a process", () => {
  test.each([HOUR_MS, -HOUR_MS])("goes on evenly while the wall clock jumps by %i ms", async (jumpMs) => {
    const world = aWorld();
    const clock = await follow(world);
    world.pass(1_000);
    world.wallMs += jumpMs;
    expect(clock.now().getTime()).toBe(world.databaseMs);
    await clock.sync();
    expect(clock.now().getTime()).toBe(world.databaseMs);
  });

  test.each([HOUR_MS, -HOUR_MS])("follows once the database's time is seen to differ by %i ms", async (jumpMs) => {
    const world = aWorld();
    const clock = await follow(world);
    world.databaseMs += jumpMs;
    expect(clock.now().getTime()).toBe(world.databaseMs - jumpMs);
    await clock.sync();
    expect(clock.now().getTime()).toBe(world.databaseMs);
  });

  test("takes the database to have read its clock in the middle of a round trip", async () => {
    const world = aWorld({ roundTripsMs: [200] });
    world.databaseMs += HOUR_MS;
    const clock = await follow(world);
    expect(clock.now().getTime()).toBe(world.databaseMs);
  });

  test("does not jitter while what it reckons with fits the answer", async () => {
    const world = aWorld({ roundTripsMs: [2, 100] });
    const clock = await follow(world);
    world.databaseMs += 30;
    await clock.sync();
    expect(clock.now().getTime()).toBe(world.databaseMs - 30);
  });

  test("believes no answer that was long on its way", async () => {
    const world = aWorld({ roundTripsMs: [2, 1_500] });
    const clock = await follow(world);
    world.databaseMs += HOUR_MS;
    await clock.sync();
    expect(clock.now().getTime()).toBe(world.databaseMs - HOUR_MS);
  });

  test("asks again at the start until an answer comes soon", async () => {
    const world = aWorld({ roundTripsMs: [5_000, 4_000, 2] });
    await follow(world);
    expect(world.asked).toBe(3);
  });

  test("warns once per change that this machine's clock is off", async () => {
    const world = aWorld();
    world.wallMs += HOUR_MS;
    const clock = await follow(world);
    await clock.sync();
    expect(world.told).toEqual([["warn", HOUR_MS]]);
    world.wallMs -= HOUR_MS;
    await clock.sync();
    await clock.sync();
    expect(world.told).toEqual([
      ["warn", HOUR_MS],
      ["info", 0],
    ]);
  });
});

function follow(world: ReturnType<typeof aWorld>) {
  const own = { monotonicMs: () => world.monotonicMs, wall: { now: () => new Date(world.wallMs) } };
  return followDatabaseClock({ database: world.database, log: world.log, own, syncEveryMs: 0 });
}

/** @param roundTripsMs of each look at the database's clock, which is read in the middle; the last one of all that follow */
function aWorld({ roundTripsMs = [2] } = {}) {
  const world = {
    wallMs: NOON_MS,
    databaseMs: NOON_MS,
    monotonicMs: 77,
    asked: 0,
    told: [] as [string, unknown][],
    pass(ms: number) {
      world.wallMs += ms;
      world.databaseMs += ms;
      world.monotonicMs += ms;
    },
    log: {
      warn: ({ aheadMs }: { aheadMs: number }) => void world.told.push(["warn", aheadMs]),
      info: ({ aheadMs }: { aheadMs: number }) => void world.told.push(["info", aheadMs]),
    } as unknown as Logger,
    database: {
      as: () => ({
        withQueue: (work: (tx: unknown) => Promise<unknown>) =>
          work({
            async execute() {
              const roundTripMs = roundTripsMs[Math.min(world.asked, roundTripsMs.length - 1)] ?? 0;
              world.asked += 1;
              world.pass(roundTripMs / 2);
              const ms = String(world.databaseMs);
              world.pass(roundTripMs / 2);
              return [{ ms }];
            },
          }),
      }),
    } as unknown as Pick<Database, "as">,
  };
  return world;
}
