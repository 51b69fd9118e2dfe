import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type postgres from "postgres";
import { waitFor } from "../../harness/wait-for.ts";
import { startWorker, type Child } from "../child.ts";
import { SHOP, STORES, type CrashWorld } from "../crash-world.ts";
import type { MutantName } from "./mutants.ts";

/** Brings a world to where a planted bug shows. An honest product comes through every one of them. */
export type Stage = (scene: Scene) => Promise<void>;

/** A store is connected, and one endpoint takes its events. */
export interface Scene {
  readonly world: CrashWorld;
  readonly endpointId: string;
}

const [, SECOND_STORE] = STORES;
/** Until somebody else could have taken a lease of two seconds. */
const TAKEOVER_MS_MAX = 15_000;
/** For what an honest product never does. */
const WRONG_MS_MAX = 4_000;
/** For a process that was stopped, to do what it was about to do. */
const AWAKE_MS = 700;
/** Longer than the checker's grace for deliveries that were under way. */
const AFTER_DELETION_MS = 2_200;
const ANSWER_MS_MAX = 1_500;
/** Half of it passes before the store looks at its data, half after. */
const SLOW_STORE_MS = 3_000;
const WHILE_THE_ANSWER_TRAVELS_MS = 2_300;

/** For each planted bug, the stage that shows it. */
export const STAGES: Readonly<Record<MutantName, Stage>> = {
  "acknowledged before the commit": async ({ world }) => {
    await withLock(world, "lock table inbox in share mode", async () => {
      await world.postWebhook(ANSWER_MS_MAX);
      await world.kill();
    });
    await world.start();
  },

  "acknowledged though the commit failed": async ({ world }) => {
    await withLock(world, "lock table inbox in share mode", async () => {
      const posted = world.postWebhook();
      await untilBlocked(world);
      await endBlocked(world);
      await posted;
    });
  },

  "arrival ended before it was routed": async ({ world }) => {
    await withLock(world, "lock table dirty_marks in share mode", async () => {
      changeOrder(world);
      await untilBlocked(world);
      world.noteAccepted();
      await world.kill();
    });
    await world.start();
  },

  "mark cleared without its generation": async ({ world }) => {
    world.act("switches", { latencyMs: SLOW_STORE_MS });
    changeOrder(world);
    await waitFor(async () => (await countOf(world, "dirty_marks")) > 0, { what: "a mark" });
    await delay(WHILE_THE_ANSWER_TRAVELS_MS);
    changeOrder(world);
    await world.ground.sandbox.shopify.webhooks.idle();
    world.act("switches", { latencyMs: 0 });
  },

  "cursor saved before its page": async ({ world }) => {
    const unlock = await lock(world, "lock table records in share mode");
    await world.connect(async () => {
      await untilBlocked(world);
      await world.kill();
      await unlock();
      await world.start();
    }, SECOND_STORE);
  },

  "items settled without the fence": async ({ world }) => {
    const other = await sleepingWorker(world);
    const letFirstGo = world.receiver.hold();
    const before = await whileDelivering(world);
    const { child } = world;
    child.pause();
    world.noteFault();
    other.resume();
    await untilReceipts(world, before + 2);
    letFirstGo();
    child.resume();
    await delay(AWAKE_MS);
    await other.stop();
  },

  "records written without the fence": async ({ world }) => {
    const other = await sleepingWorker(world);
    const { child } = world;
    await withLock(world, "lock table records in exclusive mode", async () => {
      changeOrder(world);
      await untilBlocked(world);
      child.pause();
      world.noteFault();
    });
    const holder = await leaseOf(world, "connection");
    other.resume();
    await waitFor(async () => (await leaseOf(world, "connection")) !== holder, { timeoutMs: WRONG_MS_MAX }).catch(
      // An honest product's open transaction keeps the others from the lane.
      () => {},
    );
    child.resume();
    await delay(AWAKE_MS);
    await other.stop();
  },

  "lease released by whoever had it once": async ({ world }) => {
    const other = await sleepingWorker(world);
    const letFirstGo = world.receiver.hold();
    const before = await whileDelivering(world);
    const { child } = world;
    child.pause();
    world.noteFault();
    const letSecondGo = world.receiver.hold();
    other.resume();
    await untilReceipts(world, before + 2);
    child.resume();
    letFirstGo();
    await delay(AWAKE_MS);
    letSecondGo();
    await world.settle();
    await other.stop();
  },

  "leases never looked at": async ({ world }) => {
    const letGo = world.receiver.hold();
    const before = await whileDelivering(world);
    await untilReceipts(world, before + 3, WRONG_MS_MAX).catch(() => {});
    letGo();
  },

  "delivery done before it is sent": async ({ world }) => {
    world.child.order({ kind: "die", boundary: "sending POST to the host", nth: 1 });
    changeOrder(world);
    await world.died();
    await world.start();
  },

  "events of a disabled endpoint dropped": async ({ world, endpointId }) => {
    const { webhookEndpoints } = world.workspace.sdk;
    await webhookEndpoints.update(endpointId, { status: "disabled" });
    changeOrder(world);
    await world.settle();
    await webhookEndpoints.update(endpointId, { status: "enabled" });
  },

  "sequencer skips locked events": async ({ world }) => {
    const unlockHeads = await lock(world, "lock table event_heads in share mode");
    changeOrder(world);
    await waitFor(async () => (await countOf(world, "events", "position is null")) > 0, { what: "an event" });
    const unlockEvents = await lock(world, "select 1 from events where position is null for update");
    const before = await countOf(world, "events", "position is not null");
    const all = await countOf(world, "events");
    await unlockHeads();
    changeOrder(world);
    await waitFor(async () => (await countOf(world, "events")) > all, { what: "the next event" });
    await waitFor(async () => (await countOf(world, "events", "position is not null")) > before, {
      timeoutMs: WRONG_MS_MAX,
    }).catch(() => {});
    await unlockEvents();
  },

  "sequencer not told of events": async ({ world }) => changeOrder(world),

  "deleted endpoints still told": async ({ world }) => {
    const id = await world.addEndpoint("deleted");
    await world.workspace.sdk.webhookEndpoints.delete(id);
    await delay(AFTER_DELETION_MS);
    changeOrder(world);
  },
};

/** Always the same order: its versions must come in order. */
function changeOrder(world: CrashWorld): void {
  const [order] = world.ground.sandbox.shopify.catalog(SHOP).orders.values();
  if (order === undefined) throw new Error("the store has no order");
  world.act("update-order", { orderId: order.id.toString(), note: `note ${randomUUID()}` });
}

/** Ready to take over at once, and doing nothing yet. */
async function sleepingWorker(world: CrashWorld): Promise<Child> {
  const worker = await startWorker(world.env);
  worker.pause();
  return worker;
}

/** A change is on its way to the host, which does not answer. @returns how many deliveries came before it */
async function whileDelivering(world: CrashWorld): Promise<number> {
  const before = world.receiver.receipts.length;
  changeOrder(world);
  await untilReceipts(world, before + 1);
  return before;
}

async function untilReceipts({ receiver }: CrashWorld, count: number, timeoutMs = TAKEOVER_MS_MAX): Promise<void> {
  await waitFor(() => receiver.receipts.length >= count, { timeoutMs, what: `${count} deliveries` });
}

async function withLock(world: CrashWorld, statement: string, work: () => Promise<void>): Promise<void> {
  const unlock = await lock(world, statement);
  try {
    await work();
  } finally {
    await unlock();
  }
}

/** The superuser takes a lock that the product needs. @returns how to give it back */
async function lock(world: CrashWorld, statement: string): Promise<() => Promise<void>> {
  const taken = Promise.withResolvers<void>();
  const over = Promise.withResolvers<void>();
  const transaction = world.ground.database.sql.begin(async (tx) => {
    await tx.unsafe(statement);
    taken.resolve();
    await over.promise;
  });
  await Promise.race([taken.promise, transaction]);
  return async () => {
    over.resolve();
    await transaction;
  };
}

async function untilBlocked(world: CrashWorld): Promise<void> {
  const { sql } = world.ground.database;
  await waitFor(async () => (await blocked(sql)).length > 0, { what: "the product to wait for the lock" });
}

async function endBlocked(world: CrashWorld): Promise<void> {
  const { sql } = world.ground.database;
  for (const pid of await blocked(sql)) await sql`select pg_terminate_backend(${pid})`;
}

async function blocked(sql: postgres.Sql): Promise<readonly number[]> {
  const rows = await sql<{ pid: number }[]>`
    select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
  return rows.map(({ pid }) => pid);
}

async function leaseOf(world: CrashWorld, kind: string): Promise<string | null> {
  const rows = await world.ground.database.sql<{ token: string }[]>`
    select lease_token::text as token from queue.lanes where kind = ${kind} and lease_token is not null`;
  return rows[0]?.token ?? null;
}

async function countOf(world: CrashWorld, table: string, where = "true"): Promise<number> {
  const { sql } = world.ground.database;
  const [row] = await sql.unsafe<{ count: number }[]>(`select count(*)::int as count from ${table} where ${where}`);
  return row?.count ?? 0;
}
