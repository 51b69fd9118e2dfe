import { describe, expect, test } from "vitest";
import { readMessage } from "../kit/conformance.ts";
import { type ProviderChange, restoreDelivery } from "../kit/index.ts";
import { answer, fixtureText } from "./fixtures.ts";
import { webhooks } from "./webhooks.ts";

const SHOP = "gid://shopify/Shop/70123456789";
const DOMAIN = "fernweh-outfitters.myshopify.com";

function changes(name: string, headers: Record<string, string> = {}): readonly ProviderChange[] | null {
  const message = readMessage(fixtureText(`webhook.${name}.http`));
  return webhooks.parse(restoreDelivery({ ...message.headers, ...headers }, new TextEncoder().encode(message.body)));
}

describe("parse", () => {
  test.each([
    ["orders-updated", "changed", "orders", "5820982911946154508"],
    ["orders-create", "changed", "orders", "5820982911946154999"],
    ["orders-delete", "deleted", "orders", "5820982911946154508"],
    ["orders-edited", "changed", "orders", "6200000000001"],
    ["refunds-create", "changed", "orders", "5820982911946154508"],
    ["products-update", "changed", "products", "9788032119674292922"],
    ["products-delete", "deleted", "products", "9788032119674292922"],
    ["variants-out-of-stock", "changed", "products", "9100000000001"],
    ["customers-update", "changed", "customers", "8301122334455"],
    ["customers-delete", "deleted", "customers", "8301122334455"],
    ["shop-update", "changed", "shop", "70123456789"],
  ])("%s: %s %s %s, every digit kept", (name, kind, resource, remoteId) => {
    expect(changes(name)?.map((change) => change.hint)).toEqual([{ kind, resource, remoteId }]);
  });

  test.each([
    ["app-uninstalled", { kind: "uninstalled" }],
    ["app-scopes-update", { kind: "scopes_changed" }],
    ["customers-data-request", { kind: "privacy", request: "data_request" }],
    ["customers-redact", { kind: "privacy", request: "redact_customer" }],
    ["shop-redact", { kind: "privacy", request: "redact_account" }],
    ["themes-publish", { kind: "ignored" }],
  ])("%s: %j", (name, hint) => {
    expect(changes(name)?.map((change) => change.hint)).toEqual([hint]);
  });

  test("a merge is two changes with keys of their own", () => {
    const [kept, gone] = changes("customers-merge") ?? [];
    expect(kept?.hint).toEqual({ kind: "changed", resource: "customers", remoteId: "8301122334455" });
    expect(gone?.hint).toEqual({ kind: "deleted", resource: "customers", remoteId: "8301122339999" });
    expect(kept?.dedupeKey).not.toBe(gone?.dedupeKey);
  });

  test("the account is the one of the signed body, whatever the header says", () => {
    const forged = { "x-shopify-shop-domain": "victim.myshopify.com" };
    for (const name of ["app-uninstalled", "app-scopes-update", "shop-redact", "customers-redact", "shop-update"]) {
      expect(changes(name, forged)?.[0]?.accountKey).toBe(SHOP);
    }
  });

  test("a body that does not tell leaves the header's domain as a hint", () => {
    expect(changes("orders-delete")?.[0]?.accountKey).toBe(DOMAIN);
    expect(
      changes("orders-delete", { "x-shopify-shop-domain": "FERNWEH-outfitters.myshopify.com" })?.[0]?.accountKey,
    ).toBe(DOMAIN);
    expect(changes("orders-delete", { "x-shopify-shop-domain": "evil.com" })?.[0]?.accountKey).toBeNull();
  });

  test("copies of a delivery share their key", () => {
    const again = { "x-shopify-triggered-at": "2026-11-20T13:00:00Z" };
    expect(changes("orders-updated", again)?.[0]?.dedupeKey).toBe(changes("orders-updated")?.[0]?.dedupeKey);
    expect(changes("orders-updated", { "x-shopify-webhook-id": "other" })?.[0]?.dedupeKey).toBe("other");
  });

  test("the newer family of headers is read where its signature is", () => {
    const signed = { "shopify-hmac-sha256": "x" };
    expect(changes("event-orders-update", signed)).toEqual([
      {
        accountKey: DOMAIN,
        dedupeKey: "9f6f0a44-2b7f-4a33-9d8a-000000000042",
        topic: "orders/update",
        hint: { kind: "changed", resource: "orders", remoteId: "6200000000001" },
      },
    ]);
  });

  test.each([
    ["an order without an id", "orders/updated", '{"name":"#1"}'],
    ["an order with an id that is none", "orders/updated", '{"id":"1; drop table"}'],
    ["another object's global id", "orders/updated", '{"admin_graphql_api_id":"gid://shopify/Product/1"}'],
    ["a refund without its order", "refunds/create", '{"id":1}'],
    [
      "a merge that names one customer",
      "customers/merge",
      '{"admin_graphql_api_id_customer_kept":"gid://shopify/Customer/1"}',
    ],
    ["a list", "orders/updated", "[1]"],
    ["no JSON", "orders/updated", "id=1"],
    ["a topic without a slash", "orders", '{"id":1}'],
  ])("%s is of no known shape", (_, topic, body) => {
    const headers = { "x-shopify-topic": topic, "x-shopify-webhook-id": "w1" };
    expect(webhooks.parse(restoreDelivery(headers, new TextEncoder().encode(body)))).toBeNull();
  });

  test("a delivery without an id of its own is of no known shape", () => {
    expect(changes("orders-updated", { "x-shopify-webhook-id": "" })).toBeNull();
  });
});

describe("subscriptions", () => {
  test("topics follow the models, each once, with what tells the end of the connection", () => {
    expect(webhooks.topics(["order", "refund"])).toEqual([
      "APP_UNINSTALLED",
      "APP_SCOPES_UPDATE",
      "ORDERS_CREATE",
      "ORDERS_UPDATED",
      "ORDERS_DELETE",
      "REFUNDS_CREATE",
    ]);
    expect(webhooks.topics([])).toEqual(["APP_UNINSTALLED", "APP_SCOPES_UPDATE"]);
  });

  test("the list goes on while there is a cursor", () => {
    expect(webhooks.subscriptions.parseList(answer("subscriptions.list.json"))).toEqual({
      subscriptions: [
        {
          remoteId: "gid://shopify/WebhookSubscription/1500000000001",
          topic: "ORDERS_UPDATED",
          uri: "https://patchbay.example/in/shopify/src_1",
        },
      ],
      nextCursor: "eyJzdWIiOjF9",
    });
  });

  test("one that exists already is told apart from one that was refused", () => {
    const { subscriptions } = webhooks;
    expect(subscriptions.parseCreate(answer("subscriptions.create.json")).problem).toBeNull();
    expect(subscriptions.parseCreate(answer("subscriptions.create-taken.json"))).toEqual({
      remoteId: null,
      problem: "already_exists",
    });
  });
});
