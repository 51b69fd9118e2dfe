/** The connector against the sandbox: every object of its stores, hard cases included, by real requests. */
import { type Sandbox, startSandbox } from "@patchbay/sandbox";
import { MODELS, NORMALIZED_SCHEMAS, type NormalizedRecord } from "@patchbay/shared";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type NormalizeContext,
  parseJson,
  type ProviderRequest,
  type ProviderResponse,
  type Resource,
} from "../../packages/backend/src/connectors/kit/index.ts";
import { oauth2 } from "../../packages/backend/src/connectors/shopify/auth.ts";
import { shopify } from "../../packages/backend/src/connectors/shopify/index.ts";

const SCOPES = ["read_customers", "read_products", "read_inventory", "read_orders"];
const SHOPS = ["acme-goods.myshopify.com", "maison-lumiere.myshopify.com"];
const ROUNDS_MAX = 100;

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox({ orders: 60, products: 30, customers: 20 });
});
afterAll(() => sandbox.close());

describe.each(SHOPS)("%s", (shop) => {
  test("every listed object becomes valid records, each id once", async () => {
    const call = await install(shop, SCOPES);
    for (const resource of Object.values(shopify.resources)) {
      const records = await walk(call, resource);
      const ids = records.map((record) => `${record.model} ${record.data.remoteId}`);
      expect(new Set(ids).size).toBe(ids.length);
      if (resource.list === null) continue;
      const told = resource.list.count?.parse(await call(resource.list.count.request()));
      expect(records.filter((record) => record.model === resource.model)).toHaveLength(told ?? -1);
    }
  });

  test("an order's parts add up to its total, and every refund is of an order", async () => {
    const records = await walk(await install(shop, SCOPES), shopify.resources.orders);
    const orders = records.flatMap((record) => (record.model === "order" ? [record.data] : []));
    for (const order of orders) {
      const tax = order.taxesIncluded ? 0 : (order.taxAmount ?? 0);
      const extras = (order.tipAmount ?? 0) + (order.dutiesAmount ?? 0) + (order.feesAmount ?? 0);
      expect((order.subtotalAmount ?? 0) + (order.shippingAmount ?? 0) + tax + extras).toBe(order.totalAmount);
      for (const line of order.lines) {
        expect((line.subtotalAmount ?? 0) - (line.discountAmount ?? 0)).toBe(line.totalAmount);
      }
    }
    const refunds = records.filter((record) => record.model === "refund").map((record) => record.data.remoteId);
    expect(orders.flatMap((order) => order.refundIds).toSorted()).toEqual(refunds.map((id) => `ref_${id}`).toSorted());
    expect(refunds.length).toBeGreaterThan(0);
  });

  test("a token for orders alone reads them, and says which fields it may not read", async () => {
    const records = await walk(await install(shop, ["read_orders"]), shopify.resources.orders);
    const reasons = Object.assign({}, ...records.map((record) => record.data.unavailableFields)) as object;
    expect(reasons).toEqual({
      customerId: "scope_missing",
      "lines.productId": "scope_missing",
      "lines.variantId": "scope_missing",
    });
  });
});

test("a subscription is made once, listed, removed, and gone", async () => {
  const call = await install(SHOPS[0] ?? "", SCOPES);
  const { subscriptions } = shopify.webhooks;
  const made = subscriptions.parseCreate(await call(subscriptions.create("ORDERS_UPDATED", "https://a.example/in")));
  const again = subscriptions.parseCreate(await call(subscriptions.create("ORDERS_UPDATED", "https://a.example/in")));
  expect([made.problem, again.problem]).toEqual([null, "already_exists"]);
  const { subscriptions: listed } = subscriptions.parseList(await call(subscriptions.list(null)));
  expect(listed).toEqual([{ remoteId: made.remoteId, topic: "ORDERS_UPDATED", uri: "https://a.example/in" }]);
  const remove = subscriptions.remove(made.remoteId ?? "");
  await call(remove);
  await expect(call(remove)).rejects.toThrow("gone");
});

test("disconnecting leaves a token that opens nothing", async () => {
  const call = await install(SHOPS[1] ?? "", SCOPES);
  expect(shopify.identity.parse(await call(shopify.identity.request()))).toMatchObject({
    aliases: [SHOPS[1], expect.any(String)],
    grantedScopes: expect.arrayContaining(SCOPES),
  });
  await call(shopify.disconnect.request());
  await expect(call(shopify.identity.request())).rejects.toThrow("reauthorize");
});

type Call = (request: ProviderRequest) => Promise<ProviderResponse>;

/** A call with a token of an app that asks for just these scopes; waits as it is told when throttled, fails with the kind of any other fault. */
async function install(shop: string, scopes: readonly string[]): Promise<Call> {
  const base = `${sandbox.url}/_shops/${shop}/admin`;
  const app = { clientId: `app of ${scopes.join()}`, clientSecret: "secret", redirectUris: ["http://localhost:*"] };
  sandbox.shopify.registerApp(app);
  const body = new URLSearchParams({
    client_id: app.clientId,
    client_secret: app.clientSecret,
    grant_type: "client_credentials",
    scope: scopes.join(),
  });
  const answer = await fetch(`${base}/oauth/access_token`, { method: "POST", body });
  const { access_token: token } = (await answer.json()) as { access_token: string };
  const { name, prefix } = oauth2.tokenHeader;
  return async function call(request) {
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const answer = await fetch(`${base}/api/${shopify.api.version}${request.path}`, {
        method: request.method,
        headers: { ...request.headers, "content-type": "application/json", [name]: prefix + token },
        body: JSON.stringify(request.body),
      });
      const parsed = parseJson(new Uint8Array(await answer.arrayBuffer()));
      const headers = Object.fromEntries(answer.headers);
      const response = { status: answer.status, headers, body: "value" in parsed ? parsed.value : null };
      const fault = shopify.classify(response);
      if (fault === null) return response;
      if (fault.kind !== "rate_limited") throw new Error(fault.kind);
      const waitMs = Math.ceil((fault.retryAfterSeconds ?? 1) * 1000);
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
    throw new Error("throttled for ever");
  };
}

/** Every record of a resource, as the engine would read them. Children come with their parent: none of their own. */
async function walk(call: Call, resource: Resource): Promise<readonly NormalizedRecord[]> {
  const { list } = resource;
  const records: NormalizedRecord[] = [];
  let request = list?.first({ since: null, pageSize: list.pageSize.initial }) ?? null;
  while (list && request !== null) {
    const page = await call(request);
    for (const item of list.items(page)) records.push(...normalize(resource, await completed(call, list, item)));
    request = list.next(page, request);
  }
  return records;
}

async function completed(call: Call, list: NonNullable<Resource["list"]>, item: unknown): Promise<unknown> {
  let complete = item;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const open = list.expansions(complete);
    if (open.length === 0) return complete;
    for (const expansion of open) {
      for (let request: ProviderRequest | null = expansion.request; request !== null;) {
        const page = await call(request);
        complete = expansion.merge(complete, page);
        request = expansion.next(page, request);
      }
    }
  }
  throw new Error("expansions do not end");
}

const context: NormalizeContext = { id: (model, id) => `${MODELS[model]}_${id}`, accountCurrency: null };

function normalize(resource: Resource, item: unknown): readonly NormalizedRecord[] {
  // `normalize` takes `never` so that nothing but what `raw` parsed reaches it.
  const records = resource.normalize(resource.raw.parse(item) as never, context);
  for (const record of records) NORMALIZED_SCHEMAS[record.model].parse(record.data);
  return records;
}
