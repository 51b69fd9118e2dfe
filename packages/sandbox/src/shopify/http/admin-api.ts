import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { z } from "zod";
import { settleBulk, startBulk } from "../graphql/bulk.ts";
import type { Ctx, Views } from "../graphql/context.ts";
import { servedVersion } from "../graphql/versions.ts";
import { orderView } from "../graphql/views/order.ts";
import { variantView } from "../graphql/views/product.ts";
import { authenticate } from "../oauth/tokens.ts";
import { type Env, announceUninstall, emitterFor, liveStore, type Services } from "./env.ts";

const MAX_BODY_BYTES = 2 * 1024 * 1024;
const UNAUTHORIZED = { errors: "[API] Invalid API key or access token (unrecognized login or wrong password)" };
const VIEWS: Views = { order: orderView, variant: variantView };

const GraphQLBody = z.object({
  query: z.string(),
  variables: z.record(z.string(), z.unknown()).nullish(),
  operationName: z.string().nullish(),
});

/** `POST /admin/api/{version}/graphql.json`. */
export function adminApi(services: Services): Hono<Env> {
  const routes = new Hono<Env>();
  const limit = bodyLimit({ maxSize: MAX_BODY_BYTES, onError: (c) => c.json({ errors: "Payload Too Large" }, 413) });
  routes.post("/admin/api/:version/graphql.json", limit, (c) => graphql(services, c, c.req.param("version")));
  routes.post("/admin/api/graphql.json", limit, (c) => graphql(services, c, "oldest"));
  routes.get("/_bulk/:file{[0-9]+\\.jsonl}", (c) => bulkFile(c));
  return routes;
}

async function graphql(services: Services, c: Context<Env>, asked: string) {
  const shop = c.get("shop");
  const apiVersion = servedVersion(asked);
  c.header("X-Shopify-API-Version", apiVersion);
  const known = authenticate(services.world, shop, c.req.header("X-Shopify-Access-Token") ?? "");
  if (!known) return c.json(UNAUTHORIZED, 401);
  const body = GraphQLBody.safeParse(await readJson(c));
  if (!body.success) return c.json({ errors: { query: "Required parameter missing or invalid" } }, 400);
  const ctx = context(services, c, { ...known, apiVersion });
  await settleBulk(services.engine, ctx);
  const { query, variables, operationName } = body.data;
  const answer = await services.engine.answer(ctx, {
    query,
    variables: variables ?? {},
    operationName: operationName ?? null,
  });
  if (query.includes("mutation")) services.changed();
  return c.json(answer);
}

function context(services: Services, c: Context<Env>, caller: Pick<Ctx, "apiVersion" | "install" | "token">): Ctx {
  const shop = c.get("shop");
  const ctx: Ctx = {
    ...caller,
    world: services.world,
    shop,
    store: liveStore(services, shop),
    views: VIEWS,
    baseUrl: new URL(c.req.url).origin,
    emit: emitterFor(services, shop),
    uninstalled: announceUninstall(services, shop),
    runBulk: (query) => startBulk(services.engine, ctx, query),
    unlimited: false,
  };
  return ctx;
}

function bulkFile(c: Context<Env>) {
  const id = BigInt((c.req.param("file") ?? "0").replace(".jsonl", ""));
  const bulk = c.get("shop").bulkOperations.get(id);
  if (!bulk?.result) return c.json({ errors: "Not Found" }, 404);
  return c.body(bulk.result.jsonl, 200, { "Content-Type": "application/jsonl" });
}

async function readJson(c: Context<Env>): Promise<unknown> {
  try {
    return await c.req.json();
  } catch {
    return null;
  }
}
