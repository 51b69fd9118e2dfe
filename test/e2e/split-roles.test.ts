import type { Patchbay } from "@patchbay/backend";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectStore } from "../harness/connect-store.ts";
import { startTestProduct, type TestProduct } from "../harness/product.ts";
import { waitFor } from "../harness/wait-for.ts";

let api: TestProduct;
let workers: readonly Patchbay[];

beforeAll(async () => {
  api = await startTestProduct({ roles: { api: true, worker: false } });
  workers = [await api.startWorker(), await api.startWorker()];
});
afterAll(async () => {
  for (const worker of workers) await worker.close();
  await api.close();
});

test("an API and two workers on one database share the work, each event told once and soon", async () => {
  const workspace = await api.addWorkspace();
  await connectStore(api, workspace);
  const ORDERS = 5;
  for (let i = 0; i < ORDERS; i++) api.sandbox.shopify.act("acme-goods.myshopify.com", "place-order", {});
  const created = await waitFor(async () => {
    const events = await workspace.sdk.events.list().toArray({ limit: 1_000 });
    const orders = events.filter((event) => event.type === "order.created");
    return orders.length >= ORDERS && orders;
  });
  expect(new Set(created.map((event) => event.data.ref.id)).size).toBe(ORDERS);
  expect(created).toHaveLength(ORDERS);
});

test("goes on although every connection that listens for wake-ups is ended again and again", async () => {
  const workspace = await api.addWorkspace();
  await connectStore(api, workspace);
  const endListeners = () => api.database.sql`
    select pg_terminate_backend(pid) from pg_stat_activity where query like '%as listening%' and pid <> pg_backend_pid() and datname = current_database()`;
  expect((await endListeners()).length).toBeGreaterThan(0);
  const ending = setInterval(() => void endListeners(), 100);
  try {
    const placed = api.sandbox.shopify.act("acme-goods.myshopify.com", "place-order", {});
    await waitFor(async () => {
      const events = await workspace.sdk.events.list().toArray({ limit: 1_000 });
      return events.some((event) => event.type === "order.created" && event.data.object?.name === placed["name"]);
    });
  } finally {
    clearInterval(ending);
  }
});
