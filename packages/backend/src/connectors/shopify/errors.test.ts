import { describe, expect, test } from "vitest";
import { classify, deniedFields, observe } from "./errors.ts";
import { answer, errorAnswer } from "./fixtures.ts";

describe("classify", () => {
  test("a throttled call may go when the bucket holds what it asked for", () => {
    // 412 asked, 62 there, 100 come back each second.
    expect(classify(errorAnswer("error.rate_limited.throttled.http"))).toEqual({
      kind: "rate_limited",
      retryAfterSeconds: 3.5,
    });
  });

  test("Retry-After is seconds, with a fraction", () => {
    expect(classify(errorAnswer("error.rate_limited.rest.http"))).toEqual({
      kind: "rate_limited",
      retryAfterSeconds: 2,
    });
  });

  test("a missing scope is named", () => {
    expect(classify(errorAnswer("error.missing_scope.orders.http"))).toEqual({
      kind: "missing_scope",
      scope: "read_orders",
    });
  });

  test("refused fields are named", () => {
    expect(classify(errorAnswer("error.rejected.user-error.http"))).toEqual({ kind: "rejected", fields: ["input.id"] });
    expect(classify(errorAnswer("error.rejected.field.http"))).toEqual({ kind: "rejected", fields: ["colour"] });
  });

  test("an item that may not be read is a fault, since it would pass for deleted", () => {
    expect(classify(errorAnswer("error.missing_scope.node.http"))).toEqual({
      kind: "missing_scope",
      scope: "read_products",
    });
  });

  test("fields of an item that may not be read leave it readable", () => {
    expect(classify(denied)).toBeNull();
    expect(deniedFields(denied)).toEqual([
      { index: 1, path: "customer", reason: "scope_missing" },
      { index: 1, path: "lineItems.nodes.product", reason: "scope_missing" },
      { index: 2, path: "email", reason: "protected_data" },
    ]);
  });

  test("a denied field does not hide a fault beside it", () => {
    const body = { ...denied.body, errors: [...denied.body.errors, { extensions: { code: "INTERNAL_SERVER_ERROR" } }] };
    expect(classify({ ...denied, body })).toEqual({ kind: "unavailable" });
  });

  test.each(["list.orders.1.json", "subscriptions.create.json", "subscriptions.create-taken.json"])(
    "%s is a success",
    (name) => expect(classify(answer(name))).toBeNull(),
  );
});

describe("observe", () => {
  test("tells the bucket and what the call took", () => {
    const expected = { limit: 2000, remaining: 1969, restorePerSecond: 100, cost: 31 };
    expect(observe(answer("list.orders.1.json"))).toEqual(expected);
  });

  test("a throttled call took nothing", () => {
    expect(observe(errorAnswer("error.rate_limited.throttled.http"))).toMatchObject({ remaining: 62, cost: 0 });
  });

  test("says nothing where Shopify does not", () => {
    expect(observe(errorAnswer("error.unavailable.gateway.http"))).toBeNull();
  });
});

const access = { code: "ACCESS_DENIED", requiredAccess: "`read_customers` access scope." };
const denied = {
  status: 200,
  headers: {},
  body: {
    data: { orders: { nodes: [] } },
    errors: [
      { path: ["orders", "nodes", 1, "customer"], extensions: access },
      { path: ["orders", "nodes", 1, "lineItems", "nodes", 0, "product"], extensions: access },
      { path: ["orders", "nodes", 2, "email"], extensions: { code: "ACCESS_DENIED" } },
    ],
  },
};
