import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Sandbox } from "../../start.ts";
import { ALL_SCOPES, connect, graphql, SHOP, smallSandbox, stoppedClock } from "../test-kit.ts";

const clock = stoppedClock();
let sandbox: Sandbox;
let token: string;

beforeAll(async () => {
  sandbox = await smallSandbox({ clock });
  token = await connect(sandbox, SHOP, ALL_SCOPES);
});
afterAll(() => sandbox.close());

const ask = (query: string, variables: Readonly<Record<string, unknown>> = {}, version = "2026-10") => {
  clock.advance(30);
  return graphql(sandbox, token, query, { variables, version });
};

describe("writes", () => {
  const anOrder = () => String(sandbox.shopify.act(SHOP, "place-order", { amount: "80.00" })["orderId"]);
  const REFUND = `mutation($input: RefundInput!, $key: String!) { refundCreate(input: $input) @idempotent(key: $key) {
    refund { id totalRefundedSet { shopMoney { amount } } } order { displayFinancialStatus totalRefundedSet { shopMoney { amount } } } userErrors { message } } }`;
  const refundOf = (orderId: string, amount: string) => ({
    orderId: `gid://shopify/Order/${orderId}`,
    transactions: [{ orderId: `gid://shopify/Order/${orderId}`, amount, gateway: "shopify_payments", kind: "REFUND" }],
  });

  test("refundCreate pays back once for one key, and refuses the key with other input", async () => {
    const orderId = anOrder();
    const first = await ask(REFUND, { input: refundOf(orderId, "30.00"), key: "k-1" });
    const second = await ask(REFUND, { input: refundOf(orderId, "30.00"), key: "k-1" });
    const third = await ask(REFUND, { input: refundOf(orderId, "31.00"), key: "k-1" });
    expect(first.body.data.refundCreate).toMatchObject({
      refund: { totalRefundedSet: { shopMoney: { amount: "30.0" } } },
      order: { displayFinancialStatus: "PARTIALLY_REFUNDED" },
    });
    expect(second.body.data.refundCreate.refund.id).toBe(first.body.data.refundCreate.refund.id);
    expect(second.body.data.refundCreate.order.totalRefundedSet.shopMoney.amount).toBe("30.0");
    expect(third.body.data.refundCreate.userErrors[0].message).toContain("idempotency key");
  });

  test("refundCreate without a key is refused since 2026-04, and allowed in 2026-01", async () => {
    const orderId = anOrder();
    const bare =
      "mutation($input: RefundInput!) { refundCreate(input: $input) { refund { id } userErrors { message } } }";
    expect((await ask(bare, { input: refundOf(orderId, "1.00") })).body.errors[0].message).toContain("@idempotent");
    expect((await ask(bare, { input: refundOf(orderId, "1.00") }, "2026-01")).body.data.refundCreate.refund.id).toMatch(
      /Refund/,
    );
  });

  test("refundCreate never pays back more than was received", async () => {
    const orderId = anOrder();
    const { body } = await ask(REFUND, { input: refundOf(orderId, "80.01"), key: "k-too-much" });
    expect(body.data.refundCreate).toMatchObject({
      refund: null,
      userErrors: [{ message: expect.stringContaining("exceeds") }],
    });
  });

  test("customers are created, changed, found by the new value, and not created twice", async () => {
    const create =
      'mutation { customerCreate(input: { email: "lee@new.example", firstName: "Lee" }) { customer { id updatedAt } userErrors { field message } } }';
    const { id } = (await ask(create)).body.data.customerCreate.customer;
    expect((await ask(create)).body.data.customerCreate.userErrors).toEqual([
      { field: ["email"], message: "Email has already been taken" },
    ]);
    await ask(
      'mutation($id: ID!) { customerUpdate(input: { id: $id, note: "hi" }) { customer { note } userErrors { message } } }',
      { id },
    );
    const { body } = await ask('{ customers(first: 2, query: "email:lee@new.example") { nodes { id note } } }');
    expect(body.data.customers.nodes).toEqual([{ id, note: "hi" }]);
  });

  test("orders are updated and cancelled; a second cancel is refused", async () => {
    const orderId = anOrder();
    const id = `gid://shopify/Order/${orderId}`;
    const updated = await ask(
      'mutation($id: ID!) { orderUpdate(input: { id: $id, note: "leave at door", tags: ["vip"] }) { order { note tags } userErrors { message } } }',
      { id },
    );
    expect(updated.body.data.orderUpdate.order).toEqual({ note: "leave at door", tags: ["vip"] });
    const cancel =
      "mutation($id: ID!) { orderCancel(orderId: $id, reason: CUSTOMER, restock: true, refundMethod: { originalPaymentMethodsRefund: true }) { job { done } orderCancelUserErrors { code } } }";
    expect((await ask(cancel, { id })).body.data.orderCancel.job.done).toBe(true);
    const { body } = await ask(
      "query($id: ID!) { order(id: $id) { cancelReason cancelledAt displayFinancialStatus currentTotalPriceSet { shopMoney { amount } } } }",
      { id },
    );
    expect(body.data.order).toMatchObject({
      cancelReason: "CUSTOMER",
      displayFinancialStatus: "REFUNDED",
      currentTotalPriceSet: { shopMoney: { amount: "0.0" } },
    });
    expect((await ask(cancel, { id })).body.data.orderCancel.orderCancelUserErrors[0].code).toBe("INVALID");
  });

  test("stock is set by compare-and-set", async () => {
    const { body } = await ask(
      '{ inventoryItems(first: 1) { nodes { id inventoryLevels(first: 1) { nodes { location { id } quantities(names: ["available"]) { quantity } } } } } }',
    );
    const item = body.data.inventoryItems.nodes[0];
    const level = item.inventoryLevels.nodes[0];
    const set = (quantity: number, from: number, key: string) =>
      ask(
        "mutation($input: InventorySetQuantitiesInput!, $key: String!) { inventorySetQuantities(input: $input) @idempotent(key: $key) { inventoryAdjustmentGroup { changes { delta } } userErrors { code } } }",
        {
          key,
          input: {
            name: "available",
            reason: "correction",
            quantities: [
              { inventoryItemId: item.id, locationId: level.location.id, quantity, changeFromQuantity: from },
            ],
          },
        },
      );
    const now = level.quantities[0].quantity;
    expect(
      (await set(now + 5, now, "s1")).body.data.inventorySetQuantities.inventoryAdjustmentGroup.changes[0].delta,
    ).toBe(5);
    expect((await set(now + 6, now, "s2")).body.data.inventorySetQuantities.userErrors[0].code).toBe(
      "CHANGE_FROM_QUANTITY_STALE",
    );
  });

  test("a webhook subscription is refused twice for one address, and on foreign plain http", async () => {
    const create = (uri: string) =>
      ask(
        "mutation($uri: String!) { webhookSubscriptionCreate(topic: ORDERS_CREATE, webhookSubscription: { uri: $uri }) { webhookSubscription { id apiVersion { handle } } userErrors { message } } }",
        { uri },
      );
    const made = (await create("https://hooks.example/a")).body.data.webhookSubscriptionCreate;
    expect(made.webhookSubscription.apiVersion.handle).toBe("2026-10");
    expect((await create("https://hooks.example/a")).body.data.webhookSubscriptionCreate.userErrors[0].message).toBe(
      "Address for this topic has already been taken",
    );
    expect((await create("http://hooks.example/a")).body.data.webhookSubscriptionCreate.userErrors).toHaveLength(1);
    const removed = await ask(
      "mutation($id: ID!) { webhookSubscriptionDelete(id: $id) { deletedWebhookSubscriptionId userErrors { message } } }",
      { id: made.webhookSubscription.id },
    );
    expect(removed.body.data.webhookSubscriptionDelete.deletedWebhookSubscriptionId).toBe(made.webhookSubscription.id);
  });
});

describe("bulk export", () => {
  test("runs by the clock and gives one line a node, children pointing at their parent", async () => {
    const text = "{ orders { edges { node { id lineItems { edges { node { id quantity } } } } } } }";
    const started = await ask(
      "mutation($q: String!) { bulkOperationRunQuery(query: $q) { bulkOperation { id status } userErrors { message } } }",
      { q: text },
    );
    const { id, status } = started.body.data.bulkOperationRunQuery.bulkOperation;
    expect(status).toBe("CREATED");
    clock.advance(-29);
    const poll = () =>
      graphql(sandbox, token, "query($id: ID!) { bulkOperation(id: $id) { status url objectCount rootObjectCount } }", {
        variables: { id },
      });
    expect((await poll()).body.data.bulkOperation).toMatchObject({ url: null });
    clock.advance(60);
    const { body } = await poll();
    const { url, objectCount, rootObjectCount } = body.data.bulkOperation;
    const lines = (await (await fetch(url)).text())
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { id: string; __parentId?: string });
    expect(body.data.bulkOperation.status).toBe("COMPLETED");
    expect(lines.length).toBe(Number(objectCount));
    expect(lines.filter((line) => !line.__parentId).length).toBe(Number(rootObjectCount));
    expect(
      lines.filter((line) => line.__parentId).every((line) => lines.some((parent) => parent.id === line.__parentId)),
    ).toBe(true);
  });

  test("refuses what is no export, and a sixth at once", async () => {
    const run = (q: string) =>
      ask("mutation($q: String!) { bulkOperationRunQuery(query: $q) { bulkOperation { id } userErrors { code } } }", {
        q,
      });
    expect((await run("{ shop { name } }")).body.data.bulkOperationRunQuery.userErrors[0].code).toBe("INVALID");
    const start = () =>
      graphql(
        sandbox,
        token,
        'mutation { bulkOperationRunQuery(query: "{ products { edges { node { id } } } }") { userErrors { code } } }',
      );
    for (let n = 0; n < 5; n++) expect((await start()).body.data.bulkOperationRunQuery.userErrors).toEqual([]);
    expect((await start()).body.data.bulkOperationRunQuery.userErrors[0].code).toBe("OPERATION_IN_PROGRESS");
  });
});
