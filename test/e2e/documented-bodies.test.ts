import type { AnyRecord, ModelName } from "@patchbay/shared";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { waitingWork } from "../crash/collect-history.ts";
import { connectStore } from "../harness/connect-store.ts";
import { startTestProduct, type TestProduct, type TestWorkspace } from "../harness/product.ts";
import { waitFor } from "../harness/wait-for.ts";
import { about, OWN_BODIES, publishedBodies, type Bodies, type DocumentedIds } from "./delivery-order/bodies.ts";
import { cents, openStoreApi, type StoreApi } from "./delivery-order/store-api.ts";
import { inboxUrl, postWebhook, SHOP } from "./delivery-order/webhook-post.ts";

let product: TestProduct;
let workspace: TestWorkspace;
let connectionId: string;
let url: string;
let store: StoreApi;

beforeAll(async () => {
  product = await startTestProduct();
  product.sandbox.shopify.act(SHOP, "switches", { sixtyDayWindow: false });
  workspace = await product.addWorkspace();
  connectionId = (await connectStore(product, workspace)).id;
  url = await inboxUrl(product.sandbox);
  store = await openStoreApi(product.sandbox);
  // The store tells nobody itself: what arrives is what a test posts.
  product.sandbox.shopify.act(SHOP, "switches", { hold: true });
});
afterAll(() => product.close());

describe("bodies written for this test", () => bodyTests(OWN_BODIES));

describe("bodies of Shopify's documentation", () => {
  const published = publishedBodies();
  if (published === null) {
    test("are not beside this checkout: left out", () => expect(publishedBodies()).toBeNull());
    return;
  }
  bodyTests(published);
});

function bodyTests(bodies: Bodies): void {
  test.each([
    ["orders/create", "place-order"],
    ["orders/updated", "update-order"],
    ["orders/cancelled", "cancel-order"],
    ["refunds/create", "refund"],
    ["fulfillments/create", "fulfill-order"],
    ["order_transactions/create", "update-order"],
  ])("%s brings the order in as the store has it", async (topic, verb) => {
    const order = act(verb, verb === "update-order" ? { note: `changed for ${topic}` } : {}, "orderId");
    expect(order).toBeGreaterThan(2n ** 53n);
    expect(await deliver(bodies, topic, { order })).toMatchObject({ topic, status: "routed", connectionId });
    await expectOrder(order);
  });

  test.each(["products/create", "products/update"])("%s brings product and prices in", async (topic) => {
    const id = act("edit-product", {}, "productId");
    await deliver(bodies, topic, { product: id });
    const truth = await store.product(id);
    expect(await record("product", id)).toMatchObject({ name: truth?.title, remoteWasDeleted: false });
    for (const variant of truth?.variants.nodes ?? []) {
      const remoteId = variant.id.replace(/.*\//, "");
      expect(await record("variant", BigInt(remoteId))).toMatchObject({ remoteId, priceAmount: cents(variant.price) });
    }
  });

  test.each(["customers/create", "customers/update"])("%s brings the customer in", async (topic) => {
    const id = act("update-customer", { note: `changed for ${topic}` }, "customerId");
    await deliver(bodies, topic, { customer: id });
    expect(await record("customer", id)).toMatchObject({ note: (await store.customer(id))?.note });
    expect((await record("customer", id))?.remoteId).toBe(id.toString());
  });

  test("products/delete deletes what the store deleted", async () => {
    const id = act("delete-product", {}, "productId");
    await deliver(bodies, "products/delete", { product: id });
    expect(await store.product(id)).toBeNull();
    expect(await record("product", id)).toMatchObject({ remoteWasDeleted: true });
  });

  test("orders/delete and customers/delete of what the store still has delete nothing", async () => {
    const { orders, customers } = product.sandbox.shopify.catalog(SHOP);
    const [order = 0n] = orders.keys();
    const [customer = 0n] = customers.keys();
    await deliver(bodies, "orders/delete", { order });
    await deliver(bodies, "customers/delete", { customer });
    expect(await record("order", order)).toMatchObject({ remoteWasDeleted: false });
    expect(await record("customer", customer)).toMatchObject({ remoteWasDeleted: false });
  });

  test.each(["inventory_items/update", "inventory_levels/update", "locations/update", "bulk_operations/finish"])(
    "%s, which nobody asked for, is ignored",
    async (topic) => {
      expect(await deliver(bodies, topic, {})).toMatchObject({ topic, status: "ignored" });
    },
  );

  test.each(["app/uninstalled", "app/scopes_update"])("%s alone ends no connection", async (topic) => {
    expect(await deliver(bodies, topic, {})).toMatchObject({ topic, status: "routed" });
    expect(await workspace.sdk.connections.retrieve(connectionId)).toMatchObject({ status: "active" });
  });

  test.each([
    ["customers/redact", "redact_customer"],
    ["shop/redact", "redact_account"],
  ])("%s asks the host to erase", async (topic, request) => {
    const from = (await workspace.sdk.events.list({ from: "latest" })).nextCursor ?? undefined;
    const entry = await deliver(bodies, topic, {});
    const events = await workspace.sdk.events.list({ after: from }).toArray({ limit: 10 });
    expect(events.map(({ type, tenantId, data }) => ({ type, tenantId, data }))).toEqual([
      {
        type: "privacy.redactRequested",
        tenantId: "acme",
        data: { request, provider: "shopify", inboxId: entry?.id },
      },
    ]);
  });

  test("customers/data_request is kept for the operator and erases nothing", async () => {
    const entry = await deliver(bodies, "customers/data_request", {});
    const rows = await product.database.sql`select request from privacy_requests order by received_at desc limit 1`;
    expect(entry).toMatchObject({ status: "routed" });
    expect(rows[0]).toMatchObject({ request: "data_request" });
  });
}

describe("what is no webhook of Shopify's", () => {
  test.each([
    ["cut off", '{"id":820982911946154508,"admin_graph'],
    ["not JSON at all", "<html>503</html>"],
    ["without the id that its topic needs", '{"name":"#9999"}'],
    ["nested a thousand times", `${"[".repeat(1_000)}${"]".repeat(1_000)}`],
  ])("a signed body that is %s is answered 200, kept in quarantine and shown", async (_, body) => {
    expect(await postWebhook({ url, topic: "orders/updated", body })).toBe(200);
    await atRest();
    const entry = (await workspace.sdk.inbox.list({ limit: 1, status: "quarantined" })).data[0];
    expect(entry).toMatchObject({ status: "quarantined", bodyBytes: body.length });
    expect(entry?.problem).toMatch(/^[a-z_]+$/);
  });

  test("a body signed with another secret is answered 401 and not kept", async () => {
    const [before] = (await workspace.sdk.inbox.list({ limit: 1 })).data;
    expect(await postWebhook({ url, topic: "orders/updated", body: '{"id":1}', secret: "another" })).toBe(401);
    const [after] = (await workspace.sdk.inbox.list({ limit: 1 })).data;
    expect(after?.id).toBe(before?.id);
  });
});

/** Changes the store, and tells the id of what was changed. */
function act(verb: string, input: Readonly<Record<string, unknown>>, id: string): bigint {
  return BigInt(String(product.sandbox.shopify.act(SHOP, verb, input)[id]));
}

/** Posts the documented body about objects of this store; returns what the inbox made of it. */
async function deliver(bodies: Bodies, topic: string, ids: Partial<DocumentedIds>) {
  const documented = bodies.get(topic);
  if (documented === undefined) throw new Error(`no body of ${topic}`);
  const { id, domain } = product.sandbox.shopify.catalog(SHOP).profile;
  const body = about(documented, ids, { id, domain });
  expect(await postWebhook({ url, topic, body })).toBe(200);
  await atRest();
  return (await workspace.sdk.inbox.list({ limit: 1 })).data[0];
}

async function expectOrder(id: bigint): Promise<void> {
  const truth = await store.order(id);
  expect(await record("order", id)).toMatchObject({
    remoteId: id.toString(),
    note: truth.note,
    status: truth.cancelledAt === null ? expect.not.stringMatching("canceled") : "canceled",
    fulfillmentStatusRemote: truth.displayFulfillmentStatus,
    totalAmount: cents(truth.totalPriceSet),
    taxAmount: cents(truth.totalTaxSet),
    currentTotalAmount: cents(truth.currentTotalPriceSet),
    refundedAmount: cents(truth.totalRefundedSet),
    lines: truth.lineItems.nodes.map((line) => ({
      remoteId: numberOf(line.id),
      title: line.title,
      quantity: line.quantity,
      currentQuantity: line.currentQuantity,
      unitAmount: cents(line.originalUnitPriceSet),
    })),
  });
  for (const refund of truth.refunds) {
    expect(await record("refund", BigInt(numberOf(refund.id)))).toMatchObject({
      amount: cents(refund.totalRefundedSet),
      lines: refund.refundLineItems.nodes.map(({ quantity, lineItem }) => ({
        quantity,
        orderLineRemoteId: numberOf(lineItem.id),
      })),
    });
  }
}

async function record(model: ModelName, remoteId: bigint): Promise<AnyRecord | undefined> {
  const list = workspace.sdk.tenant("acme").records.list(model, { includeDeleted: true });
  return (await list.toArray({ limit: 1_000 })).find((each) => each.remoteId === remoteId.toString());
}

function numberOf(gid: string): string {
  return gid.replace(/.*\//, "");
}

function atRest(): Promise<unknown> {
  return waitFor(async () => Object.values(await waitingWork(product.database.sql)).every((count) => count === 0), {
    timeoutMs: 20_000,
    what: "everything to be at rest",
  });
}
