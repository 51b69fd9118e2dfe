import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Sandbox } from "../../start.ts";
import { adminUrl, ALL_SCOPES, connect, EURO_SHOP, graphql, SHOP, smallSandbox, stoppedClock } from "../test-kit.ts";

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

describe("protocol", () => {
  test.each([
    ["2026-10", "2026-10"],
    ["2026-01", "2026-01"],
    ["2024-01", "2026-01"],
    ["2031-07", "2026-01"],
  ])("version %s is answered by %s", async (asked, served) => {
    const answer = await ask("{ shop { name } }", {}, asked);
    expect(answer.headers.get("X-Shopify-API-Version")).toBe(served);
    expect(answer.headers.get("X-Request-Id")).toMatch(/^[0-9a-f-]{36}$/);
    expect(answer.body.data.shop.name).toBe("Acme Goods");
  });

  test("a store is reached by its host name as by its prefix", async () => {
    const { request } = await import("node:http");
    const status = await new Promise<number | undefined>((resolve) => {
      const path = "/admin/api/2026-10/graphql.json";
      const headers = { Host: SHOP, "X-Shopify-Access-Token": token, "Content-Type": "application/json" };
      const call = request({ port: sandbox.port, host: "127.0.0.1", path, method: "POST", headers }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      });
      call.end('{"query":"{ shop { name } }"}');
    });
    expect(status).toBe(200);
  });

  test("without a token, with a wrong one, and with another store's: 401", async () => {
    for (const wrong of ["", "shpat_wrong", await connect(sandbox, EURO_SHOP)]) {
      const answer = await graphql(sandbox, wrong, "{ shop { name } }");
      expect(answer.status).toBe(401);
      expect(answer.body).toEqual({
        errors: "[API] Invalid API key or access token (unrecognized login or wrong password)",
      });
    }
  });

  test("a body that is no JSON is a 400", async () => {
    const answer = await fetch(adminUrl(sandbox, "api/2026-10/graphql.json"), {
      method: "POST",
      headers: { "X-Shopify-Access-Token": token },
      body: "{",
    });
    expect(answer.status).toBe(400);
  });

  test("an unknown field is reported in Shopify's words", async () => {
    const { body } = await ask("{ orders(first: 1) { nodes { foo } } }");
    expect(body.errors[0]).toMatchObject({
      message: "Field 'foo' doesn't exist on type 'Order'",
      extensions: { code: "undefinedField", typeName: "Order", fieldName: "foo" },
    });
  });

  test.each([
    ["{ shop { name }", "parseError"],
    ["{ shop(x: 1) { name } }", "argumentNotAccepted"],
    ["{ order { id } }", "missingRequiredArguments"],
  ])("%j is a %s", async (query, code) => {
    expect((await ask(query)).body.errors[0].extensions.code).toBe(code);
  });
});

describe("lists", () => {
  test("walk through every order once, oldest change first, while the list changes under the walk", async () => {
    const seen: string[] = [];
    let after: string | null = null;
    for (let page = 0; page < 20; page++) {
      const query =
        "query($after: String) { orders(first: 7, after: $after, sortKey: UPDATED_AT) { nodes { id updatedAt } pageInfo { hasNextPage endCursor } } }";
      const { body } = await ask(query, { after });
      seen.push(...body.data.orders.nodes.map((node: { id: string }) => node.id));
      if (page === 2) sandbox.shopify.act(SHOP, "update-order", { orderId: seen[0], note: "touched" });
      if (!body.data.orders.pageInfo.hasNextPage) break;
      after = body.data.orders.pageInfo.endCursor;
    }
    const { body } = await ask("{ ordersCount(limit: null) { count precision } }");
    expect(new Set(seen).size).toBe(body.data.ordersCount.count);
    expect(seen.length).toBe(body.data.ordersCount.count + 1);
    expect(seen.at(-1)).toBe(seen[0]);
  });

  test("run backwards with reverse, and from the end with last", async () => {
    const { body } = await ask(`{ up: orders(first: 3, sortKey: CREATED_AT) { nodes { id } }
      down: orders(first: 250, sortKey: CREATED_AT, reverse: true) { nodes { id } }
      last: orders(last: 3, sortKey: CREATED_AT, reverse: true) { nodes { id } pageInfo { hasPreviousPage } } }`);
    const ids = (name: string) => body.data[name].nodes.map((node: { id: string }) => node.id);
    expect(ids("down").slice(-3).toReversed()).toEqual(ids("up"));
    expect(ids("last")).toEqual(ids("down").slice(-3));
  });

  test.each([
    "{ orders(first: 251) { nodes { id } } }",
    "{ orders { nodes { id } } }",
    '{ orders(first: 1, after: "rubbish") { nodes { id } } }',
  ])("%s is refused", async (query) => {
    expect((await ask(query)).body.errors[0].extensions.code).toBe("BAD_REQUEST");
  });

  test("are filtered by time, id and state", async () => {
    const { body: all } = await ask("{ orders(first: 250) { nodes { id updatedAt cancelledAt } } }");
    const rows: { id: string; updatedAt: string; cancelledAt: string | null }[] = all.data.orders.nodes;
    const middle = rows.map((row) => row.updatedAt).toSorted()[20] ?? "";
    const count = async (query: string) =>
      (await ask("query($q: String) { ordersCount(query: $q) { count } }", { q: query })).body.data.ordersCount.count;
    expect(await count(`updated_at:>='${middle}'`)).toBe(rows.filter((row) => row.updatedAt >= middle).length);
    expect(await count("status:cancelled")).toBe(rows.filter((row) => row.cancelledAt).length);
    expect(await count(`id:${rows[3]?.id.split("/").at(-1)}`)).toBe(1);
    expect(await count("status:not_closed")).toBeGreaterThan(1);
  });

  test("nodes answers each id with its object, null where there is none, of any type", async () => {
    const { body } = await ask(
      "{ orders(first: 1) { nodes { id } } products(first: 1) { nodes { id variants(first: 1) { nodes { id inventoryItem { id } } } } } }",
    );
    const product = body.data.products.nodes[0];
    const ids = [
      body.data.orders.nodes[0].id,
      "gid://shopify/Order/1",
      product.id,
      product.variants.nodes[0].id,
      product.variants.nodes[0].inventoryItem.id,
      "rubbish",
    ];
    const answer = await ask(
      "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on Order { totalPriceSet { shopMoney { amount } } } } }",
      { ids },
    );
    expect(answer.body.data.nodes.map((node: { __typename: string } | null) => node?.__typename ?? null)).toEqual([
      "Order",
      null,
      "Product",
      "ProductVariant",
      "InventoryItem",
      null,
    ]);
    expect(answer.body.data.nodes[0].totalPriceSet.shopMoney.amount).toMatch(/^\d+\.\d{1,2}$/);
  });

  test("ids beyond 2^53 arrive digit by digit", async () => {
    const { body } = await ask("{ orders(first: 1) { nodes { id legacyResourceId } } }");
    const { id, legacyResourceId } = body.data.orders.nodes[0];
    expect(BigInt(legacyResourceId)).toBeGreaterThan(BigInt(Number.MAX_SAFE_INTEGER));
    expect(id).toBe(`gid://shopify/Order/${legacyResourceId}`);
  });
});

describe("rights", () => {
  test("a field without its scope is an error; null where it may be", async () => {
    const narrow = await connect(sandbox, EURO_SHOP, "read_orders");
    const denied = await graphql(sandbox, narrow, "{ products(first: 1) { nodes { id } } }", { shop: EURO_SHOP });
    expect(denied.body).toMatchObject({
      data: null,
      errors: [
        {
          message: "Access denied for products field. Required access: `read_products` access scope.",
          path: ["products"],
          extensions: { code: "ACCESS_DENIED" },
        },
      ],
    });
    const partial = await graphql(
      sandbox,
      narrow,
      '{ orders(first: 5, query: "-customer_id:0") { nodes { id customer { id } } } }',
      { shop: EURO_SHOP },
    );
    expect(partial.body.data.orders.nodes[0].customer).toBeNull();
    expect(partial.body.errors[0].path).toEqual(["orders", "nodes", 0, "customer"]);
  });

  test("orders older than 60 days show with read_all_orders, or with the window switched off", async () => {
    const count = async (held: string) =>
      (await graphql(sandbox, held, "{ ordersCount { count } }", { shop: EURO_SHOP })).body.data.ordersCount.count;
    const young = await count(await connect(sandbox, EURO_SHOP, "read_orders"));
    const all = await count(await connect(sandbox, EURO_SHOP, "read_orders,read_all_orders"));
    expect(young).toBeLessThan(all);
    sandbox.shopify.act(EURO_SHOP, "switches", { sixtyDayWindow: false });
    expect(await count(await connect(sandbox, EURO_SHOP, "read_orders"))).toBe(all);
    sandbox.shopify.act(EURO_SHOP, "calm");
  });

  test("without approval for protected data, personal fields are null with an error each", async () => {
    sandbox.shopify.act(SHOP, "switches", { protectedData: false });
    const { body } = await ask(
      "{ customers(first: 1) { nodes { id lastName defaultEmailAddress { emailAddress } } } }",
    );
    sandbox.shopify.act(SHOP, "calm");
    expect(body.data.customers.nodes[0]).toMatchObject({ lastName: null, defaultEmailAddress: null });
    expect(body.errors).toHaveLength(2);
  });
});

describe("cost", () => {
  test("the one published figure comes out", async () => {
    const { body } = await ask(
      '{ product(id: "gid://shopify/Product/1") { variants(first: 250) { nodes { inventoryItem { id } } } } }',
    );
    expect(body.extensions.cost.requestedQueryCost).toBe(25);
    expect(body.extensions.cost.actualQueryCost).toBe(1);
  });

  test("the bucket empties, says THROTTLED with status 200, and fills by the clock", async () => {
    clock.advance(60);
    const heavy =
      "{ products(first: 250) { nodes { id variants(first: 50) { nodes { id selectedOptions { name } inventoryItem { id } } } options { name optionValues { id } } } } }";
    let last = await graphql(sandbox, token, heavy);
    const { requestedQueryCost } = last.body.extensions.cost;
    expect(last.body.extensions.cost.throttleStatus).toMatchObject({ maximumAvailable: 2000, restoreRate: 100 });
    for (let call = 0; call < 60 && !last.body.errors; call++) last = await graphql(sandbox, token, heavy);
    expect(last).toMatchObject({
      status: 200,
      body: {
        errors: [{ message: "Throttled", extensions: { code: "THROTTLED" } }],
        extensions: { cost: { requestedQueryCost, actualQueryCost: null } },
      },
    });
    expect(last.body.data).toBeUndefined();
    const { currentlyAvailable } = last.body.extensions.cost.throttleStatus;
    expect(currentlyAvailable).toBeLessThan(requestedQueryCost);
    clock.advance(Math.ceil((requestedQueryCost - currentlyAvailable) / 100));
    expect((await graphql(sandbox, token, heavy)).body.errors).toBeUndefined();
  });

  test("a query dearer than 1000 points is refused without being charged", async () => {
    clock.advance(60);
    const bags = ["totalPriceSet", "totalTaxSet", "subtotalPriceSet", "totalDiscountsSet"]
      .map((name) => `${name} { shopMoney { amount } }`)
      .join(" ");
    const { body } = await graphql(
      sandbox,
      token,
      `{ orders(first: 250) { nodes { ${bags} lineItems(first: 250) { nodes { id originalTotalSet { shopMoney { amount } } product { id } variant { inventoryItem { id } } taxLines { priceSet { shopMoney { amount } } } } } } } }`,
    );
    expect(body.errors[0].extensions).toMatchObject({ code: "MAX_COST_EXCEEDED", maxCost: 1000 });
    expect(
      (await graphql(sandbox, token, "{ shop { name } }")).body.extensions.cost.throttleStatus.currentlyAvailable,
    ).toBe(1999);
  });

  test("two stores have a bucket each", async () => {
    const other = await connect(sandbox, EURO_SHOP);
    const { body } = await graphql(sandbox, other, "{ shop { name } }", { shop: EURO_SHOP });
    expect(body.extensions.cost.throttleStatus.currentlyAvailable).toBeGreaterThan(1900);
  });
});

describe("writes", () => {
  const anOrder = () => sandbox.shopify.act(SHOP, "place-order", { amount: "80.00" });
  const REFUND = `mutation($input: RefundInput!, $key: String!) { refundCreate(input: $input) @idempotent(key: $key) {
    refund { id totalRefundedSet { shopMoney { amount } } } order { displayFinancialStatus totalRefundedSet { shopMoney { amount } } } userErrors { message } } }`;
  const refundOf = (orderId: unknown, amount: string) => ({
    orderId: `gid://shopify/Order/${orderId}`,
    transactions: [{ orderId: `gid://shopify/Order/${orderId}`, amount, gateway: "shopify_payments", kind: "REFUND" }],
  });

  test("refundCreate pays back once for one key, and refuses the key with other input", async () => {
    const { orderId } = anOrder();
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
    const { orderId } = anOrder();
    const bare =
      "mutation($input: RefundInput!) { refundCreate(input: $input) { refund { id } userErrors { message } } }";
    expect((await ask(bare, { input: refundOf(orderId, "1.00") })).body.errors[0].message).toContain("@idempotent");
    expect((await ask(bare, { input: refundOf(orderId, "1.00") }, "2026-01")).body.data.refundCreate.refund.id).toMatch(
      /Refund/,
    );
  });

  test("refundCreate never pays back more than was received", async () => {
    const { orderId } = anOrder();
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
    const { orderId } = anOrder();
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
