import type { AnyRecord } from "@patchbay/shared";
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { waitingWork } from "../../crash/collect-history.ts";
import { connectStore } from "../../harness/connect-store.ts";
import { startTestProduct, type TestProduct, type TestWorkspace } from "../../harness/product.ts";
import { waitFor } from "../../harness/wait-for.ts";
import { inboxUrl, postWebhook, SHOP } from "./webhook-post.ts";

const READ_MS = 200;

let product: TestProduct;
let workspace: TestWorkspace;
let url: string;
let feedEnd: string | undefined;

beforeAll(async () => {
  product = await startTestProduct();
  workspace = await product.addWorkspace();
  await connectStore(product, workspace);
  url = await inboxUrl(product.sandbox);
  // The store tells nobody itself: every webhook here is one that a test sends.
  product.sandbox.shopify.act(SHOP, "switches", { hold: true });
});
afterAll(() => product.close());
beforeEach(async () => {
  await atRest();
  feedEnd = (await workspace.sdk.events.list({ from: "latest" })).nextCursor ?? undefined;
});

describe("one webhook delivered in many ways", () => {
  test("five times at once is told as one event", async () => {
    const { orderId } = act("place-order");
    const webhookId = randomUUID();
    const body = `{"id":${orderId}}`;
    const statuses = await Promise.all(
      Array.from({ length: 5 }, () => postWebhook({ url, topic: "orders/create", body, webhookId })),
    );
    expect(statuses).toEqual([200, 200, 200, 200, 200]);
    await atRest();
    expect(await told("order", orderId)).toEqual(["order.created v1"]);
    const { data } = await workspace.sdk.inbox.list({ limit: 5 });
    expect(data.filter((entry) => entry.status === "duplicate")).toHaveLength(4);
  });

  test("under five ids, as a store that repeats itself does, is told as one event", async () => {
    const { orderId } = act("place-order");
    const body = `{"id":${orderId}}`;
    await Promise.all(Array.from({ length: 5 }, () => postWebhook({ url, topic: "orders/create", body })));
    await atRest();
    expect(await told("order", orderId)).toEqual(["order.created v1"]);
  });

  test("minutes late says nothing new and changes nothing", async () => {
    const { orderId } = act("place-order");
    const body = `{"id":${orderId},"note":null}`;
    await postWebhook({ url, topic: "orders/create", body });
    act("update-order", { orderId, note: "newer than the late one" });
    await postWebhook({ url, topic: "orders/updated", body: `{"id":${orderId},"note":"newer than the late one"}` });
    await atRest();
    const before = await record("order", orderId);
    await postWebhook({ url, topic: "orders/updated", body, triggeredAt: new Date(Date.now() - 10 * 60_000) });
    await atRest();
    expect(await record("order", orderId)).toMatchObject({ note: "newer than the late one", version: before?.version });
  });

  test("update before create ends as the store is, each real change told once", async () => {
    const { orderId } = act("place-order");
    act("update-order", { orderId, note: "changed at once" });
    await postWebhook({ url, topic: "orders/updated", body: `{"id":${orderId}}` });
    await atRest();
    await postWebhook({ url, topic: "orders/create", body: `{"id":${orderId}}` });
    await atRest();
    expect(await told("order", orderId)).toEqual(["order.created v1"]);
    expect(await record("order", orderId)).toMatchObject({ note: "changed at once", version: 1 });
  });

  test("delete before update stays deleted and is told once", async () => {
    const { productId } = act("delete-product");
    await postWebhook({ url, topic: "products/delete", body: `{"id":${productId}}` });
    await atRest();
    await postWebhook({ url, topic: "products/update", body: `{"id":${productId},"title":"Still here"}` });
    await atRest();
    expect(await told("product", productId)).toEqual(["product.deleted v2"]);
    expect(await record("product", productId)).toMatchObject({ remoteWasDeleted: true, version: 2 });
  });

  test("while the object is being read has it read again", async () => {
    const { orderId } = act("place-order");
    const body = `{"id":${orderId}}`;
    act("switches", { latencyMs: READ_MS });
    // Some of these moments lie between the store's answer and its arrival, when the answer is old already.
    for (let elapsedMs = 0; elapsedMs <= READ_MS + 100; elapsedMs += 25) {
      act("update-order", { orderId, note: `before, ${elapsedMs}` });
      await postWebhook({ url, topic: "orders/updated", body });
      await delay(elapsedMs);
      act("update-order", { orderId, note: `after, ${elapsedMs}` });
      await postWebhook({ url, topic: "orders/updated", body });
      await atRest();
      expect(await record("order", orderId)).toMatchObject({ note: `after, ${elapsedMs}` });
    }
    act("switches", { latencyMs: 0 });
  });

  test("a delete of what is still in the store deletes nothing", async () => {
    const [customer] = product.sandbox.shopify.catalog(SHOP).customers.keys();
    await postWebhook({ url, topic: "customers/delete", body: `{"id":${customer}}` });
    await atRest();
    expect(await record("customer", String(customer))).toMatchObject({ remoteWasDeleted: false });
    expect(await told("customer", String(customer))).not.toContainEqual(expect.stringContaining("deleted"));
  });
});

function act(verb: string, input: Readonly<Record<string, unknown>> = {}) {
  const outcome = product.sandbox.shopify.act(SHOP, verb, input);
  return { orderId: String(outcome["orderId"]), productId: String(outcome["productId"]) };
}

function atRest(): Promise<unknown> {
  return waitFor(async () => Object.values(await waitingWork(product.database.sql)).every((count) => count === 0), {
    timeoutMs: 20_000,
    what: "everything to be at rest",
  });
}

/** What the feed says of one object since the test began: `order.created v1`. */
async function told(model: string, remoteId: string): Promise<readonly string[]> {
  const events = await workspace.sdk.events.list({ after: feedEnd }).toArray({ limit: 1_000 });
  return events.flatMap(({ type, data }) => {
    const object = "object" in data ? (data.object as AnyRecord) : null;
    return object?.object === model && object.remoteId === remoteId ? [`${type} v${object.version}`] : [];
  });
}

async function record(model: "order" | "product" | "customer", remoteId: string): Promise<AnyRecord | undefined> {
  const records = await workspace.sdk
    .tenant("acme")
    .records.list(model, { includeDeleted: true })
    .toArray({ limit: 1_000 });
  return records.find((each) => each.remoteId === remoteId);
}
