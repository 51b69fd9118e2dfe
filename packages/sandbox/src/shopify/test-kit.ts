/** What the sandbox's own tests share. Not part of the package's face. */
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import { type Sandbox, type SandboxOptions, startSandbox } from "../start.ts";

export const SHOP = "acme-goods.myshopify.com";
export const EURO_SHOP = "maison-lumiere.myshopify.com";
export const SCOPES = "read_customers,read_inventory,read_locations,write_orders,write_products";
/** Every right the sandbox asks for anywhere. */
export const ALL_SCOPES =
  "write_customers,write_inventory,read_locations,write_orders,read_all_orders,write_products,read_merchant_managed_fulfillment_orders,read_files";
export const CALLBACK = "http://localhost:4400/callback";

/** A clock that stands still until told. */
export function stoppedClock(start = "2026-11-22T10:00:00.400Z") {
  let now = new Date(start);
  return {
    now: () => now,
    advance: (seconds: number) => {
      now = new Date(now.getTime() + seconds * 1000);
    },
  };
}

/** A sandbox with small stores. */
export function smallSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  return startSandbox({ orders: 60, products: 30, customers: 20, ...options });
}

export function adminUrl(sandbox: Sandbox, path: string, shop = SHOP): string {
  return `${sandbox.url}/_shops/${shop}/admin/${path}`;
}

export function authorizeUrl(sandbox: Sandbox, changes: Readonly<Record<string, string>> = {}, shop = SHOP): string {
  const query = new URLSearchParams({
    client_id: "sandbox-app",
    scope: SCOPES,
    redirect_uri: CALLBACK,
    state: "st ate/1",
    ...changes,
  });
  return adminUrl(sandbox, `oauth/authorize?${query}`, shop);
}

/** Presses a button of the consent page; returns the address the browser is sent to. */
export async function decide(url: string, decision: "cancel" | "install"): Promise<URL> {
  const answer = await fetch(url, { method: "POST", body: new URLSearchParams({ decision }), redirect: "manual" });
  return new URL(answer.headers.get("location") ?? "about:blank");
}

export async function tokenCall(sandbox: Sandbox, body: Readonly<Record<string, string>>, shop = SHOP) {
  const answer = await fetch(adminUrl(sandbox, "oauth/access_token", shop), {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ client_id: "sandbox-app", client_secret: "sandbox-secret-0001", ...body }),
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, string> };
}

/** Installs the default app and returns an access token without an end. */
export async function connect(sandbox: Sandbox, shop = SHOP, scope = SCOPES): Promise<string> {
  const callback = await decide(authorizeUrl(sandbox, { scope }, shop), "install");
  const { body } = await tokenCall(sandbox, { code: callback.searchParams.get("code") ?? "" }, shop);
  return body["access_token"] ?? "";
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into answers of many shapes
  readonly body: any;
}

export async function graphql(
  sandbox: Sandbox,
  token: string,
  query: string,
  options: {
    readonly variables?: Readonly<Record<string, unknown>>;
    readonly shop?: string;
    readonly version?: string;
  } = {},
): Promise<Answer> {
  const { variables = {}, shop = SHOP, version = "2026-10" } = options;
  const answer = await fetch(adminUrl(sandbox, `api/${version}/graphql.json`, shop), {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Shopify-Access-Token": token },
    body: JSON.stringify({ query, variables }),
  });
  return { status: answer.status, headers: answer.headers, body: await answer.json() };
}

export interface Received {
  readonly topic: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Receiver {
  readonly url: string;
  readonly received: Received[];
  /** What the next posts are answered with. */
  answerWith: number;
  close(): Promise<void>;
}

/** A subscriber that remembers what it was sent. */
export async function startReceiver(): Promise<Receiver> {
  const received: Received[] = [];
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const topic = String(request.headers["x-shopify-topic"]);
      received.push({ topic, headers: request.headers, body: Buffer.concat(chunks).toString("utf8") });
      response.writeHead(receiver.answerWith).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = address !== null && typeof address === "object" ? address.port : 0;
  const receiver: Receiver = {
    url: `http://127.0.0.1:${port}/hooks`,
    received,
    answerWith: 200,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return receiver;
}

export async function subscribe(
  sandbox: Sandbox,
  token: string,
  topics: readonly string[],
  uri: string,
  shop = SHOP,
): Promise<void> {
  for (const topic of topics) {
    const mutation = `mutation($topic: WebhookSubscriptionTopic!, $uri: String!) {
      webhookSubscriptionCreate(topic: $topic, webhookSubscription: { uri: $uri }) { userErrors { message } } }`;
    await graphql(sandbox, token, mutation, { variables: { topic, uri }, shop });
  }
}
