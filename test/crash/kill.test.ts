import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { postWebhook } from "../e2e/delivery-order/webhook-post.ts";
import { startTestProduct, type TestProduct } from "../harness/product.ts";
import { waitFor } from "../harness/wait-for.ts";
import { createCrashWorld, LEASE, sandboxClock, SHOP, type CrashWorld } from "./crash-world.ts";
import { startReceiver, type Receiver } from "./receiver.ts";

const ORDERS = 150;
const NEW_ORDERS = 200;
const PROMPT_KILLS = 3;
const TEST_MS_MAX = 120_000;
const READ_MS_MAX = 30_000;

let ground: TestProduct;
let receiver: Receiver;
let world: CrashWorld;

beforeAll(async () => {
  const clock = sandboxClock();
  receiver = await startReceiver();
  ground = await startTestProduct({
    // Only a way to make workspaces: what is killed is a process of its own on the same database.
    roles: { api: false, worker: false },
    sandbox: { orders: ORDERS, clock },
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

describe("the product killed with -9", { timeout: TEST_MS_MAX }, () => {
  test("in the middle of the first import finishes it, no record twice", async () => {
    await world.addEndpoint("host");
    world.act("switches", { latencyMs: 60 });
    await world.connect(async () => {
      await waitFor(async () => (await countRecords()) > 0, { what: "the first records", intervalMs: 5 });
      await world.kill();
      const openRuns = await ground.database.sql`select 1 from runs where status in ('queued', 'running')`;
      expect(openRuns).toHaveLength(1);
      await world.start();
    });
    world.act("switches", { latencyMs: 0 });
    await world.settle();
    expect(await world.violations()).toEqual([]);
    expect(await countRecords()).toBeGreaterThan(ORDERS);
  });

  test("in the middle of two hundred deliveries to a slow host delivers all of them", async () => {
    const before = receiver.receipts.length;
    receiver.slowness(15);
    for (let order = 0; order < NEW_ORDERS; order++) world.act("place-order");
    await waitFor(() => receiver.receipts.length - before > 40, { timeoutMs: 30_000, what: "some deliveries" });
    await world.kill();
    const taken = receiver.receipts.length - before;
    expect(taken).toBeLessThan(NEW_ORDERS / 2);
    receiver.slowness(0);
    await world.start();
    await world.settle();
    expect(receiver.receipts.length - before).toBeGreaterThanOrEqual(NEW_ORDERS);
    expect(await world.violations()).toEqual([]);
    expect(receiver.forged).toBe(0);
  });

  test("right after it answered a webhook keeps what it answered for", async () => {
    world.act("switches", { hold: true });
    const orders = [...ground.sandbox.shopify.catalog(SHOP).orders.values()].slice(0, PROMPT_KILLS);
    for (const order of orders) {
      world.act("update-order", { orderId: order.id.toString(), note: `killed ${order.number}` });
      const webhookId = randomUUID();
      const post = { url: await world.inboxUrl(), topic: "orders/updated", body: `{"id":${order.id}}`, webhookId };
      expect(await postWebhook(post)).toBe(200);
      await world.kill();
      world.accepted.add(webhookId);
      await world.start();
      await waitFor(async () => (await noteOf(order.id)) === `killed ${order.number}`, {
        timeoutMs: READ_MS_MAX,
        what: "the new note",
      });
    }
    await world.settle();
    expect(await world.violations()).toEqual([]);
  });
});

async function countRecords(): Promise<number> {
  const rows = await ground.database.sql<{ count: number }[]>`select count(*)::int from records`;
  return rows[0]?.count ?? 0;
}

async function noteOf(orderId: bigint): Promise<string | null> {
  const rows = await ground.database.sql<{ note: string | null }[]>`
    select data->>'note' as note from records where model = 'order' and remote_id = ${orderId.toString()}`;
  return rows[0]?.note ?? null;
}
