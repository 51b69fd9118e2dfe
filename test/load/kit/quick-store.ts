import { startSandbox } from "@patchbay/sandbox";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { isMadeUp, ORDER_ID_BASE } from "./order-body.ts";
import type { StoreFacts } from "./start-quick-store.ts";

/**
 * A process of its own: the sandbox's stores, but with room for any number of calls, and with any order that is asked
 * for by an id of {@link isMadeUp}. So figures show us, not a provider's budget.
 */
const sandbox = await startSandbox({ orders: 5, products: 5, customers: 5 });
/** Placed before anybody listens: a webhook about one would mix real orders into reads of made-up ones. */
const models = new Map(
  sandbox.shopify.shops.map((shop) => [shop, sandbox.shopify.act(shop, "place-order", { customer: "known" })["gid"]]),
);
/** By shop. */
const templates = new Map<string, Promise<Answer>>();

interface Answer {
  readonly data: { readonly nodes: readonly Readonly<Record<string, unknown>>[] };
  readonly extensions: { readonly cost: Readonly<Record<string, unknown>> };
}

const server = createServer((request, response) => {
  serve(request, response).catch((error: unknown) => {
    console.error(error);
    response.writeHead(500).end();
  });
});

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  const read = request.url?.endsWith("/graphql.json") ? madeUpOrders(body) : null;
  if (read === null) return forward(request, response, body);
  const shop = /\/_shops\/([^/]+)/.exec(request.url ?? "")?.[1] ?? "";
  const template = templates.get(shop) ?? readTemplate(request, shop, read.query);
  templates.set(shop, template);
  const { data, extensions } = await template;
  const [node] = data.nodes;
  const nodes = read.ids.map((id) => ({ ...node, id, number: Number(id.slice(ORDER_GID.length)) - ORDER_ID_BASE + 1 }));
  response.writeHead(200, { "content-type": "application/json" });
  response.end(JSON.stringify({ data: { ...data, nodes }, extensions }));
}

const ORDER_GID = "gid://shopify/Order/";

/** What is asked for, when all of it are orders that the sandbox does not have. */
function madeUpOrders(body: Buffer): { readonly query: string; readonly ids: readonly string[] } | null {
  const { query, variables } = JSON.parse(body.toString()) as { query: string; variables?: { ids?: string[] } };
  const ids = variables?.ids ?? [];
  const madeUp = ids.filter((id) => id.startsWith(ORDER_GID) && isMadeUp(Number(id.slice(ORDER_GID.length))));
  return ids.length > 0 && madeUp.length === ids.length ? { query, ids } : null;
}

/** A real order of the store, read the same way, and an account that never runs out. */
async function readTemplate(request: IncomingMessage, shop: string, query: string): Promise<Answer> {
  const answer = await fetch(`${sandbox.url}${request.url}`, {
    method: "POST",
    headers: headersOf(request),
    body: JSON.stringify({ query, variables: { ids: [models.get(shop)] } }),
  });
  const { data, extensions } = (await answer.json()) as Answer;
  const room = { maximumAvailable: 1_000_000, currentlyAvailable: 1_000_000, restoreRate: 1_000_000 };
  return { data, extensions: { ...extensions, cost: { ...extensions.cost, throttleStatus: room } } };
}

async function forward(request: IncomingMessage, response: ServerResponse, body: Buffer): Promise<void> {
  const answer = await fetch(`${sandbox.url}${request.url}`, {
    method: request.method ?? "GET",
    headers: headersOf(request),
    redirect: "manual",
    ...(body.length === 0 ? {} : { body: body.toString() }),
  });
  const location = answer.headers.get("location");
  response.writeHead(answer.status, {
    "content-type": answer.headers.get("content-type") ?? "application/json",
    ...(location === null ? {} : { location }),
  });
  response.end(Buffer.from(await answer.arrayBuffer()));
}

function headersOf(request: IncomingMessage): Record<string, string> {
  const kept = ["content-type", "accept", "x-shopify-access-token", "authorization"];
  return Object.fromEntries(
    kept.flatMap((name) => (request.headers[name] ? [[name, String(request.headers[name])]] : [])),
  );
}

server.listen(0, "127.0.0.1");
await once(server, "listening");
const address = server.address();
if (address === null || typeof address === "string") throw new Error("the system gave no port");
const url = `http://localhost:${address.port}`;
process.on("message", (app: Parameters<typeof sandbox.shopify.registerApp>[0]) => {
  sandbox.shopify.registerApp(app);
  process.send?.("registered");
});
process.send?.({ url, shops: sandbox.shopify.shops } satisfies StoreFacts);
