/**
 * The Shopify sandbox against Shopify's own libraries. They insist on https and `*.myshopify.com`; an injected `fetch`
 * sends their calls to the sandbox, and nothing else about them is changed.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createAdminApiClient } from "@shopify/admin-api-client";
import { ApiVersion, AuthScopes, type Session, type Shopify, shopifyApi } from "@shopify/shopify-api";
import "@shopify/shopify-api/adapters/node";
import { setAbstractFetchFunc } from "@shopify/shopify-api/runtime";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Sandbox, startSandbox } from "@patchbay/sandbox";
import * as queries from "../../packages/backend/src/connectors/shopify/queries.ts";

const SHOP = "acme-goods.myshopify.com";
const SCOPES = ["write_orders", "read_customers", "read_products", "read_inventory", "read_locations"];
const OPERATIONS = Object.entries(queries).filter((entry): entry is [string, string] => typeof entry[1] === "string");

/** The library answers programs that look like crawlers with 410. */
const BROWSER = { "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/150.0 Safari/537.36" };

let sandbox: Sandbox;
let shopify: Shopify;
let session: Session;
let app: TestApp;

beforeAll(async () => {
  sandbox = await startSandbox({ orders: 60, products: 30, customers: 20 });
  app = await startApp();
  shopify = shopifyApi({
    apiKey: "sandbox-app",
    apiSecretKey: "sandbox-secret-0001",
    scopes: new AuthScopes(SCOPES),
    hostName: `localhost:${app.port}`,
    hostScheme: "http",
    apiVersion: ApiVersion.October26,
    isEmbeddedApp: false,
    logger: { level: 0 },
  });
  setAbstractFetchFunc(toSandbox);
  session = await install();
});

afterAll(async () => {
  await app.close();
  await sandbox.close();
});

describe("@shopify/shopify-api", () => {
  test("installs through the consent page and holds an expiring offline token", () => {
    expect(session).toMatchObject({ shop: SHOP, isOnline: false });
    expect(session.accessToken).toMatch(/^shpat_/);
    expect(session.refreshToken).toMatch(/^shprt_/);
    expect(session.expires?.getTime()).toBeGreaterThan(Date.now() + 3_500_000);
    expect(shopify.config.scopes?.equals(session.scope)).toBe(true);
  });

  test("accepts the callback's HMAC, and not a changed callback", async () => {
    const { searchParams } = await consent("install");
    const query = Object.fromEntries(searchParams);
    expect(await shopify.utils.validateHmac(query)).toBe(true);
    expect(await shopify.utils.validateHmac({ ...query, shop: "other.myshopify.com" })).toBe(false);
  });

  test("accepts the HMAC of a cancelled installation", async () => {
    const { searchParams } = await consent("cancel");
    expect(searchParams.get("error")).toBe("access_denied");
    expect(await shopify.utils.validateHmac(Object.fromEntries(searchParams))).toBe(true);
  });

  test("rotates the token pair", async () => {
    const { session: next } = await shopify.auth.refreshToken({ shop: SHOP, refreshToken: session.refreshToken ?? "" });
    expect(next.accessToken).not.toBe(session.accessToken);
    expect(next.refreshToken).not.toBe(session.refreshToken);
    session = next;
  });

  test("gets a token by client credentials", async () => {
    const { session: own } = await shopify.auth.clientCredentials({ shop: SHOP });
    expect(own.accessToken).toMatch(/^shpat_/);
  });

  test("validates every webhook of an order's life as Shopify's", async () => {
    for (const topic of [
      "ORDERS_CREATE",
      "ORDERS_UPDATED",
      "REFUNDS_CREATE",
      "ORDERS_CANCELLED",
      "PRODUCTS_UPDATE",
      "CUSTOMERS_UPDATE",
    ]) {
      const answer = await adminClient().request(
        `mutation($topic: WebhookSubscriptionTopic!, $uri: String!) {
          webhookSubscriptionCreate(topic: $topic, webhookSubscription: { uri: $uri }) { userErrors { message } } }`,
        { variables: { topic, uri: `http://localhost:${app.port}/webhooks` } },
      );
      expect(answer.data?.webhookSubscriptionCreate.userErrors).toEqual([]);
    }
    const { orderId } = sandbox.shopify.act(SHOP, "place-order", { customer: "known" });
    sandbox.shopify.act(SHOP, "refund", { orderId, amount: "1.00" });
    sandbox.shopify.act(SHOP, "cancel-order", { orderId });
    sandbox.shopify.act(SHOP, "edit-product");
    await sandbox.shopify.webhooks.idle();
    expect(new Set(app.webhooks.map((webhook) => webhook.topic))).toEqual(
      new Set([
        "orders/create",
        "orders/updated",
        "refunds/create",
        "orders/cancelled",
        "products/update",
        "customers/update",
      ]),
    );
    expect(app.webhooks.filter((webhook) => webhook.verdict !== "valid")).toEqual([]);
  });
});

describe("@shopify/admin-api-client", () => {
  test("reads the store", async () => {
    const { data, errors, extensions } = await adminClient().request(queries.SHOP_IDENTITY);
    expect(errors).toBeUndefined();
    expect(data?.shop.myshopifyDomain).toBe(SHOP);
    expect(extensions?.["cost"]).toMatchObject({ throttleStatus: { maximumAvailable: 2000 } });
  });

  test.each(OPERATIONS)("the connector's %s runs without an error", async (name, operation) => {
    const variables = await variablesFor(operation);
    const { errors } = await adminClient().request(operation, { variables });
    if (name === "APP_UNINSTALL") session = await install();
    expect(errors?.graphQLErrors ?? errors).toBeUndefined();
  });

  test("sees a throttled query as GraphQL errors, not as an HTTP failure", async () => {
    sandbox.shopify.act(SHOP, "switches", { throttleNext: 1 });
    const { errors } = await adminClient().request("{ shop { name } }");
    expect(errors?.networkStatusCode).toBe(200);
    expect(errors?.graphQLErrors?.[0]).toMatchObject({ message: "Throttled", extensions: { code: "THROTTLED" } });
  });

  test("sees a dead token as a 401", async () => {
    sandbox.shopify.act(SHOP, "revoke-tokens");
    const { errors } = await adminClient().request("{ shop { name } }");
    expect(errors?.networkStatusCode).toBe(401);
    session = await install();
  });
});

function adminClient() {
  return createAdminApiClient({
    storeDomain: SHOP,
    apiVersion: "2026-10",
    accessToken: session.accessToken ?? "",
    customFetchApi: (url, init) => toSandbox(url, init),
  });
}

function toSandbox(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const address = input instanceof Request ? input.url : String(input);
  const { hostname, pathname, search } = new URL(address);
  return fetch(`${sandbox.url}/_shops/${hostname}${pathname}${search}`, init);
}

/** The library's own OAuth flow, with this test in the browser's place. */
async function install(): Promise<Session> {
  const begin = await fetch(`http://localhost:${app.port}/auth?shop=${SHOP}`, { redirect: "manual", headers: BROWSER });
  const cookie = begin.headers
    .getSetCookie()
    .map((line) => line.split(";")[0])
    .join("; ");
  const callback = await press(new URL(begin.headers.get("location") ?? ""), "install");
  const answer = await fetch(callback, { headers: { ...BROWSER, cookie } });
  if (!answer.ok || !app.session) throw new Error(`the library refused the callback: ${await answer.text()}`);
  return app.session;
}

async function consent(decision: "cancel" | "install"): Promise<URL> {
  const begin = await fetch(`http://localhost:${app.port}/auth?shop=${SHOP}`, { redirect: "manual", headers: BROWSER });
  return press(new URL(begin.headers.get("location") ?? ""), decision);
}

async function press(authorize: URL, decision: "cancel" | "install"): Promise<URL> {
  expect(authorize.protocol).toBe("https:");
  const body = new URLSearchParams({ decision });
  const answer = await toSandbox(authorize.href, { method: "POST", body, redirect: "manual" });
  return new URL(answer.headers.get("location") ?? "about:blank");
}

/** Variables an operation declares, filled with what the store holds. */
async function variablesFor(operation: string): Promise<Record<string, unknown>> {
  const { data } = await adminClient().request(
    '{ orders(first: 2) { nodes { id } } customers(first: 2) { nodes { id } } products(first: 2) { nodes { id } } refunded: orders(first: 1, query: "financial_status:refunded") { nodes { refunds { id } } } }',
  );
  const ids = ["orders", "customers", "products"].flatMap((name) =>
    data?.[name].nodes.map((node: { id: string }) => node.id),
  );
  const all: Record<string, unknown> = {
    first: 5,
    after: null,
    query: "updated_at:>='2020-01-01T00:00:00Z'",
    ids: [...ids, ...(data?.refunded.nodes[0]?.refunds ?? []).map((refund: { id: string }) => refund.id)],
    id: ids[0],
    topic: "ORDERS_FULFILLED",
    topics: ["ORDERS_FULFILLED"],
    uri: `http://localhost:${app.port}/operations`,
    subscription: { uri: `http://localhost:${app.port}/operations` },
  };
  const declared = [...operation.matchAll(/\$(\w+)\s*:/g)].map((match) => match[1] ?? "");
  return Object.fromEntries(declared.filter((name) => name in all).map((name) => [name, all[name]]));
}

interface TestApp {
  readonly port: number;
  readonly webhooks: { readonly topic: string; readonly verdict: string }[];
  session: Session | null;
  close(): Promise<void>;
}

/** An app as Shopify's documentation builds one. */
async function startApp(): Promise<TestApp> {
  const server: Server = createServer((request, response) => {
    void answer(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const made: TestApp = {
    port: address !== null && typeof address === "object" ? address.port : 0,
    webhooks: [],
    session: null,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
    if (pathname === "/auth") {
      const shop = searchParams.get("shop") ?? "";
      await shopify.auth.begin({
        shop,
        callbackPath: "/callback",
        isOnline: false,
        rawRequest: request,
        rawResponse: response,
      });
      return;
    }
    if (pathname === "/callback") {
      const result = await shopify.auth.callback({ expiring: true, rawRequest: request, rawResponse: response });
      made.session = result.session;
      response.writeHead(200).end();
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(Buffer.from(chunk as Uint8Array));
    const rawBody = Buffer.concat(chunks).toString("utf8");
    const result = await shopify.webhooks.validate({ rawBody, rawRequest: request, rawResponse: response });
    made.webhooks.push({
      topic: result.valid ? String(request.headers["x-shopify-topic"]) : "?",
      verdict: result.valid ? "valid" : result.reason,
    });
    response.writeHead(200).end();
  }
  return made;
}
