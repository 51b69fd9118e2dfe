/**
 * The connector against what Shopify says of itself: its schema, its documented bodies and its own library. Documents
 * that may not be part of this repository are looked for beside it; a line says so when they are not there.
 */
import { createHmac } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { ApiVersion, shopifyApi } from "@shopify/shopify-api";
import "@shopify/shopify-api/adapters/node";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MODELS, NORMALIZED_SCHEMAS, type NormalizedRecord } from "@patchbay/shared";
import {
  parseJson,
  type Resource,
  restoreDelivery,
  verifySignature,
} from "../../packages/backend/src/connectors/kit/index.ts";
import { signDelivery } from "../../packages/backend/src/connectors/kit/sign-delivery.ts";
import { oauth2 } from "../../packages/backend/src/connectors/shopify/auth.ts";
import { shopify } from "../../packages/backend/src/connectors/shopify/index.ts";
import * as queries from "../../packages/backend/src/connectors/shopify/queries.ts";
import { answerFrom, buildSchema, problemsOf } from "./graphql-js.ts";

const ROOT = new URL("../../", import.meta.url);
const VENDORS = new URL("../shared/vendors/", ROOT);
const FIXTURES = new URL("packages/backend/src/connectors/shopify/fixtures/", ROOT);
const text = (name: string, base: URL) => readFileSync(new URL(name, base), "utf8");

const OPERATIONS = Object.entries(queries).filter((entry): entry is [string, string] => typeof entry[1] === "string");
const schema = buildSchema(text("packages/sandbox/src/shopify/admin.graphql", ROOT));

describe("operations", () => {
  // The schema file leaves deprecated fields out, so a deprecated field is an unknown one here.
  test.each(OPERATIONS)("%s is valid on the pinned version's schema", (_, document) => {
    expect(problemsOf(schema, document)).toEqual([]);
  });

  test("the version they are checked against is the pinned one", () => {
    expect(shopify.api.version).toBe("2026-10");
    expect(Object.values<string>(ApiVersion)).toContain(shopify.api.version);
  });
});

describe("fixtures", () => {
  const documents: Readonly<Record<string, string>> = {
    "identity.json": queries.SHOP_IDENTITY,
    "list.shop": queries.SHOP_ACCOUNT,
    "list.customers": queries.CUSTOMERS,
    "list.products": queries.PRODUCTS,
    "list.orders": queries.ORDERS,
    "batch.shop": queries.SHOP_ACCOUNT,
    "batch.customers": queries.CUSTOMERS_BY_ID,
    "batch.products": queries.PRODUCTS_BY_ID,
    "batch.orders": queries.ORDERS_BY_ID,
  };
  const names = readdirSync(FIXTURES).filter((name) =>
    Object.keys(documents).some((prefix) => name.startsWith(prefix)),
  );

  test.each(names)("%s is just what the schema answers", async (name) => {
    const document = documents[Object.keys(documents).find((prefix) => name.startsWith(prefix)) ?? ""] ?? "";
    const fixture = JSON.parse(text(name, FIXTURES)) as { data: object };
    const answered = await answerFrom(schema, document, fixture.data, (field) => {
      throw new Error(`the fixture lacks a ${field.type}`);
    });
    expect(answered).toEqual({ data: fixture.data, errors: [] });
  });
});

describe("Shopify's own library", () => {
  const secret = "hush";
  const sdk = shopifyApi({
    apiKey: "key",
    apiSecretKey: secret,
    apiVersion: ApiVersion.October26,
    hostName: "localhost",
    isEmbeddedApp: false,
    logger: { log: () => undefined },
  });
  const shop = "acme.myshopify.com";
  const received = { method: "POST", url: "https://hooks.example.com/in", receivedAt: new Date() };

  test("agrees on which callbacks are signed", async () => {
    const parameters = fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), fc.string({ unit: "grapheme" }), {
      maxKeys: 5,
    });
    await fc.assert(
      fc.asyncProperty(parameters, fc.boolean(), async (extra, tampered) => {
        const timestamp = String(Math.floor(Date.now() / 1000));
        const query = new URLSearchParams({ ...extra, shop, timestamp });
        query.delete("hmac");
        query.delete("signature");
        query.sort();
        const message = query.toString().replaceAll("+", "%20");
        query.set("hmac", createHmac("sha256", secret).update(message).digest("hex"));
        if (tampered) query.set("state", "another");
        const theirs = await sdk.utils.validateHmac(Object.fromEntries(query));
        const ours = oauth2.verifyCallback({ query, params: { shop }, clientSecret: secret, now: new Date() });
        expect(ours === null).toBe(theirs);
      }),
      { numRuns: 200 },
    );
  });

  test("takes the deliveries that we sign, in both families of headers, and refuses what we refuse", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: "grapheme" }),
        fc.boolean(),
        fc.boolean(),
        async (rawBody, newer, tampered) => {
          const family = newer ? "shopify-" : "x-shopify-";
          const named = {
            [`${family}topic`]: "orders/updated",
            [`${family}shop-domain`]: shop,
            [`${family}api-version`]: shopify.api.version,
            [`${family}webhook-id`]: "w1",
            [`${family}event-id`]: "e1",
          };
          const signed = { ...received, headers: named, rawBody: new TextEncoder().encode(rawBody) };
          const headers = { ...named, ...signDelivery(shopify.webhooks.signature, secret, signed) };
          expect(headers).toHaveProperty(`${family}hmac-sha256`);
          const sent = tampered ? `${rawBody} ` : rawBody;
          const url = "https://localhost/in";
          const theirs = await sdk.webhooks.validate({
            rawBody: sent,
            rawRequest: { url, method: "POST", headers },
            rawResponse: {},
          } as never);
          // An empty body is "missing" to the library; to us it is signed, and then of no known shape.
          if (sent === "") return;
          const delivery = { ...received, headers, rawBody: new TextEncoder().encode(sent) };
          const ours = verifySignature(shopify.webhooks.signature, [secret], delivery);
          expect("secretIndex" in ours).toBe(!tampered);
          expect(theirs.valid).toBe(!tampered);
        },
      ),
      { numRuns: 200 },
    );
  });
});

/** Fields of the pinned version that the published extract was cut without. */
const CUT_FROM_EXTRACT =
  /"(totalTipReceivedSet|originalTotalDutiesSet|originalTotalAdditionalFeesSet|originalTotalPriceSet)" on type "Order"|"orderAdjustments" on type "Refund"/;

describe("documented bodies", () => {
  if (!existsSync(VENDORS)) {
    test("vendor specs not present: left out", () => expect(existsSync(VENDORS)).toBe(false));
    return;
  }
  const extract = buildSchema(text("specs/shopify.graphql", VENDORS));
  const sample = (name: string) => text(`samples/shopify/${name}`, VENDORS);

  test.each(OPERATIONS)("%s is valid on the published extract", (_, document) => {
    expect(problemsOf(extract, document).filter((problem) => !CUT_FROM_EXTRACT.test(problem))).toEqual([]);
  });

  test.each([
    ["orders/create", "changed orders 820982911946154508"],
    ["orders/updated", "changed orders 820982911946154508"],
    ["orders/cancelled", "changed orders 820982911946154508"],
    ["orders/delete", "deleted orders 820982911946154508"],
    ["refunds/create", "changed orders 820982911946154508"],
    ["order_transactions/create", "changed orders 820982911946154508"],
    ["fulfillments/create", "changed orders 820982911946154508"],
    ["products/create", "changed products 788032119674292922"],
    ["products/update", "changed products 788032119674292922"],
    ["products/delete", "deleted products 788032119674292922"],
    ["customers/create", "changed customers 706405506930370084"],
    ["customers/update", "changed customers 706405506930370084"],
    ["customers/delete", "deleted customers 706405506930370084"],
    ["customers/data_request", "privacy data_request"],
    ["customers/redact", "privacy redact_customer"],
    ["shop/redact", "privacy redact_account"],
    ["app/uninstalled", "uninstalled"],
    ["app/scopes_update", "scopes_changed"],
    ["inventory_levels/update", "ignored"],
    ["inventory_items/update", "ignored"],
    ["locations/update", "ignored"],
    ["bulk_operations/finish", "ignored"],
  ])("webhook %s: %s", (topic, expected) => {
    const headers = { "x-shopify-topic": topic, "x-shopify-webhook-id": "w1" };
    const body = sample(`webhook.${topic.replace("/", "_")}.json`);
    const delivery = restoreDelivery(headers, new TextEncoder().encode(body));
    const hints = shopify.webhooks.parse(delivery)?.map(({ hint }) => Object.values(hint).join(" "));
    expect(hints).toEqual([expected]);
  });

  test.each([
    [
      "ShopIdentity",
      shopify.resources.shop,
      queries.SHOP_ACCOUNT,
      { account: { name: "Harborlight Goods", defaultCurrency: "USD" } },
    ],
    [
      "Customers",
      shopify.resources.customers,
      queries.CUSTOMERS,
      { customer: { totalSpentAmount: 412_47, email: "dana@northwind-analytics.example" } },
    ],
    [
      "Products",
      shopify.resources.products,
      queries.PRODUCTS,
      { product: { name: "Enamel mug" }, variant: { priceAmount: 18_00, costAmount: 4_10 } },
    ],
    [
      "Orders",
      shopify.resources.orders,
      queries.ORDERS,
      {
        order: { totalAmount: 56_55, discountAmount: 5_40, currentTotalAmount: 40_35, refundedAmount: 16_20 },
        refund: { amount: 16_20, note: "one mug arrived chipped" },
      },
    ],
  ])("graphql %s becomes valid records with the documented amounts", async (name, resource, document, expected) => {
    const records = await documentedRecords(name, resource, document);
    for (const [model, fields] of Object.entries(expected)) {
      expect(records.find((record) => record.model === model)?.data).toMatchObject(fields);
    }
  });

  test("a line of the documented order: a code on the order is off the line's total", async () => {
    const [order] = await documentedRecords("Orders", shopify.resources.orders, queries.ORDERS);
    expect(order?.data).toMatchObject({
      subtotalAmount: 48_60,
      lines: [{ subtotalAmount: 54_00, discountAmount: 5_40, totalAmount: 48_60 }],
    });
  });

  /** The documented answer to a like operation, asked again by ours; what it lacks is empty. */
  async function documentedRecords(name: string, resource: Resource, document: string) {
    const { data } = JSON.parse(sample(`graphql.${name}.json`)) as { data: object };
    const { shop } = (JSON.parse(sample("graphql.ShopIdentity.json")) as { data: { shop: object } }).data;
    const answered = await answerFrom(schema, document, { shop, ...data }, fallback);
    expect(answered.errors).toEqual([]);
    return recordsOf(resource, answered.data);
  }
});

/** Nothing, in the shape the schema asks for. */
function fallback({ type, nullable, list }: { type: string; nullable: boolean; list: boolean }): unknown {
  if (nullable) return null;
  if (list) return [];
  if (type === "MoneyBag") {
    const none = { amount: "0.0", currencyCode: "USD" };
    return { shopMoney: none, presentmentMoney: none };
  }
  if (type === "Connection") return { nodes: [], pageInfo: { hasNextPage: false, endCursor: null } };
  if (type === "DateTime") return "2026-11-20T00:00:00Z";
  if (type === "PageInfo") return { hasNextPage: false, endCursor: null };
  if (type === "Boolean") return false;
  return ["Int", "Float"].includes(type) ? 0 : "";
}

function recordsOf(resource: Resource, data: unknown): readonly NormalizedRecord[] {
  const parsed = parseJson(JSON.stringify({ data }));
  const body = "value" in parsed ? parsed.value : null;
  const items = resource.list?.items({ status: 200, headers: {}, body }) ?? [];
  const context = { id: (model: keyof typeof MODELS, id: string) => `${MODELS[model]}_${id}`, accountCurrency: null };
  return items.flatMap((item) =>
    resource.normalize(resource.raw.parse(item) as never, context).map((record) => {
      NORMALIZED_SCHEMAS[record.model].parse(record.data);
      return record;
    }),
  );
}
