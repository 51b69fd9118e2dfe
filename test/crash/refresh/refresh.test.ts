import { spawnSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../harness/database.ts";
import { matrixNodes, runCell, SCALED_DELAY_MS, violationsOf, type Cell } from "./matrix.ts";
import { mulberry32 } from "../random-kills.ts";
import { fullestSecond, runDueTogether } from "./due-together.ts";
import { killViolationsOf, runKill, type KillCell } from "./kills.ts";
import { FAULTS, POLICIES } from "./policy-server.ts";
import { createRefreshWorld, type RefreshWorld } from "./world.ts";

/** Twice of what a window takes: without a budget they come all at once. */
const DUE_TOGETHER = 40;
const SMALL_LIMIT = { requests: 20, perSeconds: 2 };

let database: TestDatabase;
let world: RefreshWorld;

beforeAll(async () => {
  database = await createTestDatabase();
  world = await createRefreshWorld(database);
  world.server.delayMs = SCALED_DELAY_MS;
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await database.drop();
});

describe("an expiry", () => {
  test("O8: whatever the policy and the fault, costs no reuse, loses nothing that can be saved, tells once", async () => {
    const cells = POLICIES.flatMap((policy) =>
      (["no_fault", ...FAULTS] as const).map((fault): Cell => ({ policy, fault, nodes: 3, callers: 50 })),
    );
    const nodes = await matrixNodes(world);
    const violations = await Promise.all(
      cells.map(async (cell) => violationsOf(cell, await runCell(world, nodes, cell))),
    );
    expect(violations.flat()).toEqual([]);
  });

  test("O8: of 600 callers in three processes is one token call", async () => {
    const { target, family } = await world.aScenario("until_replaced");
    const processes = await Promise.all([world.process(), world.process(), world.process()]);
    const given = await Promise.all(processes.map((each) => each.order({ target, callers: 200, after401: null })));
    expect(new Set(given.flatMap(({ answers }) => answers))).toEqual(new Set([`access.${family.name}.1`]));
    expect(family.calls).toBe(1);
    await Promise.all(processes.map((each) => each.kill()));
  });
});

/** libfaketime, where it is installed: `apt-get install faketime`. */
const hasFaketime = spawnSync("faketime", ["--version"]).status === 0;
if (!hasFaketime) process.stdout.write("O10: libfaketime is not installed, its test is left out\n");

test.skipIf(!hasFaketime)("O10: processes whose clocks are five minutes off refresh each expiry once", async () => {
  const { target, family } = await world.aScenario("until_replaced");
  const processes = await Promise.all([world.process({ clock: "+5m" }), world.process({ clock: "-5m" })]);
  const skews = new Set<number>();
  for (let expiry = 1; expiry <= 3; expiry++) {
    const given = await Promise.all(processes.map((each) => each.order({ target, callers: 20, after401: null })));
    expect(new Set(given.flatMap(({ answers }) => answers))).toEqual(new Set([`access.${family.name}.${expiry}`]));
    for (const { atMs } of given) skews.add(Math.round((atMs - Date.now()) / 60_000));
    await world.passes(target, 2 * 3_600_000);
  }
  expect(skews).toEqual(new Set([5, -5]));
  expect(family.calls).toBe(3);
  await Promise.all(processes.map((each) => each.kill()));
});

describe("a process killed in the middle of a refresh", () => {
  /** `pnpm crash refresh` does all of them. */
  const cells: readonly KillCell[] = [
    { policy: "never", point: "claimed" },
    { policy: "never", point: "sent" },
    { policy: "never", point: "committed" },
    { policy: "until_replaced", point: "overtaken" },
    { policy: "none", point: "dead" },
  ];

  test("O9: loses no connection that can be saved, and the host is told once of the others", async () => {
    const nodes = [await world.node(), await world.node()] as const;
    const violations: string[] = [];
    const rest = cells.values();
    const work = async () => {
      for (const cell of rest) violations.push(...killViolationsOf(cell, await runKill(world, nodes, cell)));
    };
    await Promise.all([work(), work()]);
    expect(violations).toEqual([]);
  });
});

describe("many grants of one provider app that expire at once", () => {
  test("O11: never ask the token endpoint more often than the provider lets, from three nodes", async () => {
    const { figures, violations } = await runDueTogether(database, DUE_TOGETHER, SMALL_LIMIT);
    process.stdout.write(`O11 ${JSON.stringify(figures)}\n`);
    expect(violations).toEqual([]);
  });

  test("O11: come due spread over a sixth of their tokens' life", () => {
    const fullest = fullestSecond(10_000, 3_600, mulberry32(7));
    process.stdout.write(`O11 10000 grants of one second: ${fullest} due in the fullest second\n`);
    expect(fullest).toBeLessThan(50);
  });
});
