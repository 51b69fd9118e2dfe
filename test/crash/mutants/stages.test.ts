import { describe, expect, test } from "vitest";
import type { Violation } from "../check-history.ts";
import { LEASE, sandboxClock, type createCrashWorld } from "../crash-world.ts";
import { startReceiver } from "../receiver.ts";
import { startTestProduct } from "../../harness/product.ts";
import type { MutantName } from "./mutants.ts";
import { runHonest, runMutant } from "./run-mutant.ts";

/** Those whose stage is quick and depends on nobody's speed; `pnpm crash mutants` plays all. */
const PLAYED = [
  "acknowledged before the commit",
  "delivery done before it is sent",
] as const satisfies readonly MutantName[];
const TEST_MS_MAX = 90_000;

describe("the checker", { timeout: TEST_MS_MAX }, () => {
  test("sees nothing in the honest product on any stage", async () => {
    expect(await onGround((...ground) => runHonest(...ground, PLAYED))).toEqual([]);
  });

  test.each([
    [PLAYED[0], "accepted is stored"],
    [PLAYED[1], "every event delivered"],
  ] as const)("sees a product with a planted bug: %s", async (name, rule) => {
    const violations = await onGround((...ground) => runMutant(...ground, name));
    expect(violations.map((violation) => violation.rule)).toContain(rule);
  });
});

async function onGround(
  run: (...of: Parameters<typeof createCrashWorld>) => Promise<readonly Violation[]>,
): Promise<readonly Violation[]> {
  const clock = sandboxClock();
  const receiver = await startReceiver();
  const ground = await startTestProduct({
    // Only a way to make workspaces: what is broken is a process of its own on the same database.
    roles: { api: false, worker: false },
    sandbox: { clock },
    endpointOrigins: [receiver.origin],
    env: LEASE,
  });
  try {
    return await run(ground, clock, receiver);
  } finally {
    await ground.close();
    await receiver.close();
  }
}
