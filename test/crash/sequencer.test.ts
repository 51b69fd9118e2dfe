import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestProduct, type TestProduct } from "../harness/product.ts";
import { waitFor } from "../harness/wait-for.ts";
import { startWorker } from "./child.ts";
import { createCrashWorld, LEASE, sandboxClock, type CrashWorld } from "./crash-world.ts";
import { startReceiver, type Receiver } from "./receiver.ts";

/** In the order in which a sequencer's transaction comes by them. */
const BOUNDARIES = [
  "after delete queue.unsequenced",
  "before update event_heads",
  "after commit of update event_heads",
];
const STANDS_AT = "before update event_heads";
/** For a process that stood still, to do what it was about to do. */
const AWAKE_MS = 700;
const TEST_MS_MAX = 120_000;

let ground: TestProduct;
let receiver: Receiver;
let world: CrashWorld;
let boundaries: readonly string[];

beforeAll(async () => {
  const clock = sandboxClock();
  receiver = await startReceiver();
  ground = await startTestProduct({
    roles: { api: false, worker: false },
    sandbox: { clock },
    endpointOrigins: [receiver.origin],
    env: LEASE,
  });
  world = await createCrashWorld(ground, clock, receiver);
  await world.addEndpoint("host");
  await world.connect();
  await world.settle();
  world.child.order({ kind: "count" });
  world.act("place-order");
  await world.settle();
  boundaries = Object.keys(await world.child.report());
});
afterAll(async () => {
  await world.stop();
  await ground.close();
  await receiver.close();
});

describe("a sequencer", { timeout: TEST_MS_MAX }, () => {
  test("killed with -9 anywhere in its transaction leaves no gap and doubles nothing", async () => {
    for (const name of BOUNDARIES) {
      world.child.order({ kind: "die", boundary: boundaryNamed(name), nth: 1 });
      world.act("place-order");
      await world.died();
      await world.start();
      await world.settle();
    }
    expect(await world.violations()).toEqual([]);
    expect(receiver.receipts).toHaveLength(receiver.acted.length);
  });

  test("that stands still with the head locked, and wakes without its connection, writes nothing", async () => {
    const { child } = world;
    child.order({ kind: "stop", boundary: boundaryNamed(STANDS_AT), nth: 1 });
    world.act("place-order");
    await waitFor(() => isStopped(child.pid), { what: "the first to stand still" });
    world.noteFault();
    const second = await startWorker(world.env);
    const { sql } = ground.database;
    const blocker = await waitFor(async () => (await blockers())[0], { what: "the second to wait for the head" });
    await sql`select pg_terminate_backend(${blocker})`;
    await waitFor(async () => (await sql`select 1 from events where position is null`).length === 0, {
      what: "the second to give the position",
    });
    child.resume();
    await delay(AWAKE_MS);
    world.act("place-order");
    await world.settle();
    await second.stop();
    expect(await world.violations()).toEqual([]);
    expect(receiver.receipts).toHaveLength(receiver.acted.length);
  });
});

function boundaryNamed(start: string): string {
  const found = boundaries.find((boundary) => boundary.startsWith(start));
  if (found === undefined) throw new Error(`no boundary begins with: ${start}`);
  return found;
}

function isStopped(pid: number): boolean {
  return /^State:\s*T/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
}

async function blockers(): Promise<readonly number[]> {
  const rows = await ground.database.sql<{ pid: number }[]>`
    select unnest(pg_blocking_pids(pid)) as pid from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock' and query ilike '%event_heads%'`;
  return rows.map(({ pid }) => pid);
}
