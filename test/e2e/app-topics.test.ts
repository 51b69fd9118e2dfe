/** What a provider posts about the app as a whole: Shopify's compliance topics, which name their shop. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectStore } from "../harness/connect-store.ts";
import { startTestProduct, type TestProduct, type TestWorkspace } from "../harness/product.ts";
import { waitFor } from "../harness/wait-for.ts";
import { postWebhook, SHOP } from "./delivery-order/webhook-post.ts";

const APP = "sandbox-app";
const SECRET = "sandbox-secret-0001";
const NEXT_SECRET = "sandbox-secret-0002";
const TOPICS = ["customers/data_request", "customers/redact", "shop/redact"];

let product: TestProduct;
let workspace: TestWorkspace;
let url: string;
beforeAll(async () => {
  product = await startTestProduct();
  workspace = await product.addWorkspace();
  await connectStore(product, workspace, { models: ["account"], awaitImport: false });
  // Two tenants share the shop; a third has another one.
  await connectStore(product, workspace, { models: ["account"], awaitImport: false, tenantId: "globex" });
  await connectStore(product, workspace, {
    models: ["account"],
    awaitImport: false,
    tenantId: "initech",
    shop: "maison-lumiere.myshopify.com",
  });
  url = (await workspace.sdk.providers.retrieveApp("shopify")).webhookAddress?.url ?? "";
  product.sandbox.shopify.registerApp({
    clientId: APP,
    clientSecret: SECRET,
    redirectUris: [`${product.url}/oauth/callback/shopify`],
    complianceUrl: url,
  });
}, 120_000);
afterAll(() => product.close());

test("an app has one address for them, which says what to enter there, and is its workspace's own", async () => {
  const { providers } = workspace.sdk;
  const shown = await Promise.all([1, 2, 3].map(() => providers.retrieveApp("shopify")));
  for (const app of shown) expect(app.webhookAddress).toEqual({ url, topics: TOPICS });
  expect(shown[0]).toMatchObject({ clientId: APP, previousSecretUntil: null });
  const other = await (await product.addWorkspace()).sdk.providers.retrieveApp("shopify");
  expect(other.webhookAddress?.url).not.toBe(url);
  await expect(providers.retrieveApp("nobody")).rejects.toMatchObject({ code: "provider_app_missing" });
});

test("what comes to it is verified, stored, routed to every connection of the shop named, and told", async () => {
  const from = (await workspace.sdk.events.list({ from: "latest" })).nextCursor ?? undefined;
  for (const topic of TOPICS) product.sandbox.shopify.act(SHOP, "compliance", { topic, clientId: APP });
  const entries = await waitFor(async () => {
    const stored = (await ofApp()).filter(({ status }) => status === "routed");
    return stored.length === TOPICS.length ? stored : null;
  });
  expect(entries.map(({ topic }) => String(topic)).toSorted()).toEqual(TOPICS);
  const connections = await workspace.sdk.connections.list().toArray({ limit: 10 });
  const ofShop = connections.filter(({ tenantId }) => tenantId !== "initech").map(({ id }) => id);
  for (const { connectionId } of entries) expect(ofShop).toContain(connectionId);
  const told = await workspace.sdk.events.list({ after: from }).toArray({ limit: 20 });
  const privacy = told.filter(({ type }) => type === "privacy.redactRequested");
  expect(
    privacy.map(({ tenantId, data }) => `${tenantId} ${(data as { request: string }).request}`).toSorted(),
  ).toEqual(["acme redact_account", "acme redact_customer", "globex redact_account", "globex redact_customer"]);
  const rows = await product.database.sql`select request from privacy_requests`;
  expect(rows.map((row) => String(row["request"])).toSorted()).toEqual([
    "data_request",
    "redact_account",
    "redact_customer",
  ]);
});

test("a shop that nobody connected is told once, for the workspace", async () => {
  const from = (await workspace.sdk.events.list({ from: "latest" })).nextCursor ?? undefined;
  const body = JSON.stringify({ shop_id: 1, shop_domain: "gone.myshopify.com" });
  expect(await postWebhook({ url, topic: "shop/redact", body })).toBe(200);
  const told = await waitFor(async () => {
    const events = await workspace.sdk.events.list({ after: from }).toArray({ limit: 5 });
    return events.length > 0 ? events : null;
  });
  expect(told.map(({ type, tenantId }) => [type, tenantId])).toEqual([["privacy.redactRequested", null]]);
});

test("takes what either secret signed for a day after a change, and nothing else", async () => {
  const { providers } = workspace.sdk;
  const override = `${product.sandbox.url}/_shops/{shop}`;
  const own = await product.addWorkspace();
  const app = { clientId: APP, clientSecret: NEXT_SECRET, baseUrlOverride: override };
  const changed = await own.sdk.providers.setApp("shopify", app);
  const until = Date.parse(changed.previousSecretUntil ?? "") - Date.now();
  expect(until).toBeGreaterThan(23 * 3_600_000);
  const address = changed.webhookAddress?.url ?? "";
  expect(address).toBe((await own.sdk.providers.retrieveApp("shopify")).webhookAddress?.url);
  const post = (secret: string) => postWebhook({ url: address, topic: "shop/redact", body: '{"shop_id":2}', secret });
  expect([await post(SECRET), await post(NEXT_SECRET), await post("another")]).toEqual([200, 200, 401]);
  expect((await providers.retrieveApp("shopify")).previousSecretUntil).toBeNull();
});

async function ofApp() {
  const entries = await workspace.sdk.inbox.list().toArray({ limit: 100 });
  return entries.filter(({ topic }) => TOPICS.includes(topic ?? ""));
}
