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

  test("points asked for and not used come back", async () => {
    clock.advance(60);
    const { body } = await graphql(
      sandbox,
      token,
      '{ orders(first: 250, query: "id:1") { nodes { id customer { id } } } }',
    );
    const { requestedQueryCost, actualQueryCost, throttleStatus } = body.extensions.cost;
    expect(requestedQueryCost).toBeGreaterThan(20);
    expect(actualQueryCost).toBe(1);
    expect(throttleStatus.currentlyAvailable).toBe(1999);
  });

  test("two stores have a bucket each", async () => {
    const other = await connect(sandbox, EURO_SHOP);
    const { body } = await graphql(sandbox, other, "{ shop { name } }", { shop: EURO_SHOP });
    expect(body.extensions.cost.throttleStatus.currentlyAvailable).toBeGreaterThan(1900);
  });
});
