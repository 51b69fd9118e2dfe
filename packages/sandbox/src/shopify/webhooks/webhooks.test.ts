import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Sandbox } from "../../start.ts";
import {
  connect,
  graphql,
  type Receiver,
  SHOP,
  smallSandbox,
  startReceiver,
  stoppedClock,
  subscribe,
} from "../test-kit.ts";
import { RETRY_DELAYS_S } from "./dispatcher.ts";
import { topicName } from "./topics.ts";

const TOPICS = [
  "ORDERS_CREATE",
  "ORDERS_UPDATED",
  "ORDERS_CANCELLED",
  "REFUNDS_CREATE",
  "CUSTOMERS_UPDATE",
  "PRODUCTS_UPDATE",
  "PRODUCTS_DELETE",
  "APP_UNINSTALLED",
];

let clock: ReturnType<typeof stoppedClock>;
let sandbox: Sandbox;
let receiver: Receiver;
let token: string;

beforeEach(async () => {
  clock = stoppedClock();
  sandbox = await smallSandbox({ clock, orders: 30 });
  receiver = await startReceiver();
  token = await connect(sandbox);
  await subscribe(sandbox, token, TOPICS, receiver.url);
});
afterEach(async () => {
  await sandbox.close();
  await receiver.close();
});

const act = async (verb: string, input: Readonly<Record<string, unknown>> = {}) => {
  const outcome = sandbox.shopify.act(SHOP, verb, input);
  await sandbox.shopify.webhooks.idle();
  return outcome;
};
const topics = () => receiver.received.map((webhook) => webhook.topic);

test.each([
  ["ORDERS_CREATE", "orders/create"],
  ["ORDER_TRANSACTIONS_CREATE", "order_transactions/create"],
  ["INVENTORY_LEVELS_UPDATE", "inventory_levels/update"],
  ["APP_SCOPES_UPDATE", "app/scopes_update"],
  ["BULK_OPERATIONS_FINISH", "bulk_operations/finish"],
  ["ORDERS_PARTIALLY_FULFILLED", "orders/partially_fulfilled"],
])("%s is written %s in the header", (enumValue, name) => {
  expect(topicName(enumValue)).toBe(name);
});

describe("what is sent", () => {
  test("an order by a customer: orders/create and customers/update, with every documented header", async () => {
    const { orderId } = await act("place-order", { customer: "known" });
    expect(topics().toSorted()).toEqual(["customers/update", "orders/create"]);
    const webhook = receiver.received.find((candidate) => candidate.topic === "orders/create");
    expect(webhook?.headers).toMatchObject({
      "content-type": "application/json",
      "x-shopify-shop-domain": SHOP,
      "x-shopify-api-version": "2026-10",
      "x-shopify-webhook-id": expect.stringMatching(/^[0-9a-f-]{36}$/),
      "x-shopify-event-id": expect.stringMatching(/^[0-9a-f-]{36}$/),
      "x-shopify-triggered-at": clock.now().toISOString(),
    });
    expect(webhook?.body).toContain(
      `{"id":${String(orderId)},"admin_graphql_api_id":"gid://shopify/Order/${String(orderId)}"`,
    );
  });

  test("a guest's order: orders/create alone, its customer null", async () => {
    await act("place-order", { customer: "guest" });
    expect(topics()).toEqual(["orders/create"]);
    expect(JSON.parse(receiver.received[0]?.body ?? "")).toMatchObject({
      customer: null,
      email: "guest@visitor.example",
    });
  });

  test("a partial refund: refunds/create and orders/updated, with the right money", async () => {
    const { orderId } = await act("place-order", { amount: "80.00", customer: "guest" });
    receiver.received.length = 0;
    const outcome = await act("refund", { orderId, amount: "12.50" });
    expect(topics()).toEqual(["refunds/create", "orders/updated"]);
    const [refund, order] = receiver.received.map((webhook) => JSON.parse(webhook.body));
    expect(refund.transactions).toMatchObject([
      { kind: "refund", status: "success", amount: "12.50", currency: "USD" },
    ]);
    expect(refund.order_adjustments).toMatchObject([{ amount: "-12.50", kind: "refund_discrepancy" }]);
    expect(order).toMatchObject({
      financial_status: "partially_refunded",
      total_price: "80.00",
      current_total_price: "67.50",
      total_outstanding: "0.00",
    });
    expect(outcome).toMatchObject({ refunded: "12.50", currentTotal: "67.50", financialStatus: "PARTIALLY_REFUNDED" });
  });

  test("a full refund takes every line and the whole money back", async () => {
    const { orderId } = await act("place-order", { amount: "80.00", customer: "guest" });
    const outcome = await act("refund", { orderId });
    expect(outcome).toMatchObject({ refunded: "80.00", currentTotal: "0.00", financialStatus: "REFUNDED" });
    const webhook = receiver.received.find((candidate) => candidate.topic === "refunds/create");
    expect(JSON.parse(webhook?.body ?? "")).toMatchObject({
      refund_line_items: [{ quantity: 1, subtotal: 80 }],
      order_adjustments: [],
    });
  });

  test("a note, a cancel, a price and a deletion each say what happened", async () => {
    const { orderId } = await act("place-order", { customer: "guest" });
    receiver.received.length = 0;
    await act("update-order", { orderId, note: "ring twice" });
    await act("cancel-order", { orderId });
    const { productId } = await act("edit-product", { price: "19.99" });
    await act("delete-product", { productId });
    expect(topics()).toEqual([
      "orders/updated",
      "refunds/create",
      "orders/updated",
      "orders/cancelled",
      "orders/updated",
      "products/update",
      "products/delete",
    ]);
    expect(receiver.received.at(-1)?.body).toBe(`{"id":${String(productId)}}`);
    expect(JSON.parse(receiver.received.at(-2)?.body ?? "").variants[0].price).toBe("19.99");
  });

  test("updatedAt is the clock's whole second, the same in the webhook and in the API", async () => {
    const { gid } = await act("place-order", { customer: "guest" });
    const { body } = await graphql(sandbox, token, "query($id: ID!) { order(id: $id) { updatedAt } }", {
      variables: { id: gid },
    });
    expect(body.data.order.updatedAt).toBe("2026-11-22T10:00:00Z");
    expect(JSON.parse(receiver.received[0]?.body ?? "").updated_at).toBe("2026-11-22T10:00:00+00:00");
  });

  test("uninstalling sends app/uninstalled when the token is dead already, and nothing after it", async () => {
    await act("uninstall");
    expect(topics()).toEqual(["app/uninstalled"]);
    expect((await graphql(sandbox, token, "{ shop { name } }")).status).toBe(401);
    await act("place-order");
    expect(topics()).toEqual(["app/uninstalled"]);
  });

  test("only the asked fields are sent when the subscription names some", async () => {
    const mutation =
      'mutation($uri: String!) { webhookSubscriptionCreate(topic: ORDERS_CREATE, webhookSubscription: { uri: $uri, includeFields: ["id", "updated_at"], name: "thin" }) { userErrors { message } } }';
    await graphql(sandbox, token, mutation, { variables: { uri: `${receiver.url}/thin` } });
    await act("place-order", { customer: "guest" });
    const thin = receiver.received.find((webhook) => webhook.headers["x-shopify-name"] === "thin");
    expect(Object.keys(JSON.parse(thin?.body ?? ""))).toEqual(["id", "updated_at"]);
    const events = new Set(receiver.received.map((webhook) => webhook.headers["x-shopify-event-id"]));
    expect(events.size).toBe(1);
  });
});

describe("retries", () => {
  test("eight in four hours by the clock, the same webhook each time; then the subscription is gone", async () => {
    receiver.answerWith = 500;
    await act("place-order", { customer: "guest" });
    expect(RETRY_DELAYS_S).toHaveLength(8);
    expect(RETRY_DELAYS_S.reduce((sum, delay) => sum + delay)).toBe(4 * 3600);
    for (const delay of RETRY_DELAYS_S) {
      clock.advance(delay - 1);
      expect(sandbox.shopify.webhooks.retryDueNow()).toBe(0);
      clock.advance(1);
      expect(sandbox.shopify.webhooks.retryDueNow()).toBe(1);
      await sandbox.shopify.webhooks.idle();
    }
    expect(receiver.received).toHaveLength(9);
    expect(new Set(receiver.received.map((webhook) => webhook.headers["x-shopify-webhook-id"])).size).toBe(1);
    expect(new Set(receiver.received.map((webhook) => webhook.body)).size).toBe(1);
    token = await connect(sandbox);
    const { body } = await graphql(
      sandbox,
      token,
      "{ webhookSubscriptions(first: 20, topics: [ORDERS_CREATE]) { nodes { id } } }",
    );
    expect(body.data.webhookSubscriptions.nodes).toEqual([]);
  });

  test("stop at the first success", async () => {
    receiver.answerWith = 503;
    await act("place-order", { customer: "guest" });
    receiver.answerWith = 204;
    clock.advance(10);
    sandbox.shopify.webhooks.retryDueNow();
    await sandbox.shopify.webhooks.idle();
    clock.advance(14_400);
    expect(sandbox.shopify.webhooks.retryDueNow()).toBe(0);
    expect(sandbox.shopify.deliveries(SHOP).at(-1)).toMatchObject({
      state: "delivered",
      attempts: [{ status: 503 }, { status: 204 }],
    });
  });

  test("a redirect is a failure and is not followed", async () => {
    receiver.answerWith = 302;
    await act("place-order", { customer: "guest" });
    expect(receiver.received).toHaveLength(1);
    expect(sandbox.shopify.deliveries(SHOP).at(-1)).toMatchObject({ state: "waiting", attempts: [{ status: 302 }] });
  });
});

describe("misbehaving", () => {
  test("duplicates carry the same webhook id", async () => {
    await act("switches", { duplicates: 4 });
    await act("place-order", { customer: "guest" });
    expect(receiver.received).toHaveLength(5);
    expect(new Set(receiver.received.map((webhook) => webhook.headers["x-shopify-webhook-id"])).size).toBe(1);
  });

  test("disorder turns the order of events around", async () => {
    await act("switches", { disorder: true });
    const { orderId } = sandbox.shopify.act(SHOP, "place-order", { customer: "guest" });
    sandbox.shopify.act(SHOP, "update-order", { orderId, note: "later" });
    await sandbox.shopify.webhooks.idle();
    expect(topics().toSorted()).toEqual(["orders/create", "orders/updated"]);
    expect(
      sandbox.shopify
        .deliveries(SHOP)
        .slice(-2)
        .map((delivery) => delivery.topic),
    ).toEqual(["orders/create", "orders/updated"]);
    expect(topics()).toEqual(["orders/updated", "orders/create"]);
  });

  test("held webhooks wait until released", async () => {
    await act("switches", { hold: true });
    await act("place-order", { customer: "guest" });
    expect(receiver.received).toHaveLength(0);
    expect(await act("release-webhooks")).toMatchObject({ released: 1 });
    expect(topics()).toEqual(["orders/create"]);
  });
});

describe("compliance", () => {
  test("topics go to the app's own URL, and shop/redact follows an uninstall by 48 hours", async () => {
    sandbox.shopify.registerApp({
      clientId: "sandbox-app",
      clientSecret: "sandbox-secret-0001",
      redirectUris: ["http://localhost:*"],
      complianceUrl: receiver.url,
    });
    await act("compliance", { topic: "customers/redact" });
    expect(JSON.parse(receiver.received[0]?.body ?? "")).toMatchObject({
      shop_id: 64_112_001,
      shop_domain: SHOP,
      orders_to_redact: expect.any(Array),
    });
    await act("uninstall");
    clock.advance(48 * 3600 - 1);
    sandbox.shopify.webhooks.retryDueNow();
    await sandbox.shopify.webhooks.idle();
    expect(topics()).not.toContain("shop/redact");
    clock.advance(1);
    sandbox.shopify.webhooks.retryDueNow();
    await sandbox.shopify.webhooks.idle();
    expect(topics()).toContain("shop/redact");
  });
});
