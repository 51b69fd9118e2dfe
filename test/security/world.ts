import { MODEL_NAMES, decodeId, type ModelName } from "@patchbay/shared";
import { createHash, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { once } from "node:events";
import { connectStore } from "../harness/connect-store.ts";
import { startTestProduct, type TestProduct, type TestWorkspace } from "../harness/product.ts";
import { waitFor } from "../harness/wait-for.ts";
import { ORIGIN, jsonOf, send, withKey, withSession } from "./http.ts";
import type { Of } from "./snapshot.ts";

/** Two workspaces on one product, each with two tenants that have connected the same two stores. */
export interface World extends AsyncDisposable {
  readonly product: TestProduct;
  readonly a: Side;
  readonly b: Side;
}

export interface Side extends TestWorkspace {
  readonly first: TenantSide;
  readonly second: TenantSide;
  /** A tenant without data. */
  readonly bare: string;
  readonly clientId: string;
  readonly returnUrl: string;
  readonly endpointId: string;
  readonly deliveryId: string;
  readonly inboxId: string;
  readonly replayId: string;
  readonly deliveryReplayId: string;
  readonly erasureId: string;
  /** Used with {@link send} once: `POST /v1/connect-sessions`. */
  readonly idempotencyKey: string;
  readonly uuid: string;
}

export interface TenantSide {
  readonly id: string;
  readonly connectionId: string;
  readonly runId: string;
  readonly orderId: string;
  readonly eventId: string;
  /** An authorization that its person has not finished. */
  readonly authorizationId: string;
  readonly startUrl: string;
  readonly sessionToken: string;
  /** The person of the session. */
  readonly endUserId: string;
  /** For {@link snapshot}. */
  readonly rows: Of;
}

const SHOPS = ["acme-goods.myshopify.com", "maison-lumiere.myshopify.com"] as const;

export async function createWorld(): Promise<World> {
  const receiver = createServer((request, response) => request.resume().on("end", () => response.end("ok")));
  receiver.listen(0, "127.0.0.1");
  await once(receiver, "listening");
  const address = receiver.address();
  if (address === null || typeof address === "string") throw new Error("the receiver has no port");
  const endpointOrigin = `http://127.0.0.1:${address.port}`;
  const product = await startTestProduct({ roles: { api: true, worker: false }, endpointOrigins: [endpointOrigin] });
  const worker = await product.startWorker();
  const a = await arrange(product, "a", ["acme", "globex", "hooli"], endpointOrigin);
  const b = await arrange(product, "b", ["initech", "umbrella", "vehement"], endpointOrigin);
  // Both hear of orders that either had placed: they know the same stores.
  for (const side of [a, b]) await settled(product, side.uuid);
  // From here on nothing happens by itself: what changes, a caller has changed.
  await worker.close();
  return {
    product,
    a,
    b,
    async [Symbol.asyncDispose]() {
      await product.close();
      receiver.closeAllConnections();
      receiver.close();
    },
  };
}

/** A browser's session token for one person of a tenant. */
export async function mintSession(side: TestWorkspace, tenantId: string, endUserId: string): Promise<string> {
  const session = await side.sdk.connectSessions.create({
    tenantId,
    endUser: { id: endUserId },
    allowedOrigins: [ORIGIN],
  });
  return session.token;
}

/** Starts connecting a store and stops before the provider. */
export async function startAuthorization(
  product: Pick<TestProduct, "url">,
  token: string,
  shop: string = SHOPS[0],
): Promise<{ readonly id: string; readonly startUrl: string }> {
  const answer = await send(product, {
    method: "POST",
    path: "/connect/v1/authorizations",
    headers: withSession(token),
    body: {
      provider: "shopify",
      parameters: { shop },
      verifierChallenge: createHash("sha256").update(randomBytes(32).toString("base64url")).digest("base64url"),
      display: "popup",
    },
  });
  if (answer.status !== 201) throw new Error(`not started: ${answer.status} ${answer.text}`);
  const { id, startUrl } = jsonOf(answer);
  return { id: String(id), startUrl: String(startUrl) };
}

/** Two of nothing, whose list has a second page. */
async function deliveryReplays({ sdk }: TestWorkspace, endpointId: string): Promise<readonly string[]> {
  const nothing = { since: "2020-01-01T00:00:00.000Z", until: "2020-01-02T00:00:00.000Z" };
  const made = [
    await sdk.webhookEndpoints.replay(endpointId, nothing),
    await sdk.webhookEndpoints.replay(endpointId, nothing),
  ];
  return made.map(({ id }) => id);
}

/** Two that stand still: nothing is of them, and their list has a second page. */
async function replays({ sdk }: TestWorkspace): Promise<readonly string[]> {
  const nothing = { since: "2020-01-01T00:00:00.000Z", until: "2020-01-02T00:00:00.000Z" };
  const made = [await sdk.inbox.replay(nothing), await sdk.inbox.replay(nothing)];
  return made.map(({ id }) => id);
}

async function arrange(
  product: TestProduct,
  name: string,
  tenantIds: readonly [string, string, string],
  endpointOrigin: string,
): Promise<Side> {
  const returnUrl = `https://${name}.example.com/return`;
  const workspace = await product.addWorkspace({ name: `Host ${name}`, returnUrls: [returnUrl] });
  const clientId = `app-${name}`;
  const clientSecret = `secret-of-app-${name}`;
  const redirectUris = ["http://localhost:*"];
  product.sandbox.shopify.registerApp({ clientId, clientSecret, redirectUris });
  const baseUrlOverride = `${product.sandbox.url}/_shops/{shop}`;
  await workspace.sdk.providers.setApp("shopify", { clientId, clientSecret, baseUrlOverride });
  const endpoint = await workspace.sdk.webhookEndpoints.create({
    url: `${endpointOrigin}/${name}`,
    models: ["refund"],
  });
  await workspace.sdk.webhookEndpoints.create({ url: `${endpointOrigin}/${name}/second`, types: ["order.deleted"] });

  const uuid = decodeId("ws", workspace.workspace.id) ?? "";
  const first = await arrangeTenant(product, workspace, uuid, tenantIds[0], SHOPS[0]);
  const second = await arrangeTenant(product, workspace, uuid, tenantIds[1], SHOPS[1]);
  await workspace.sdk.tenants.upsert({ id: tenantIds[2] });
  // Two, so that their list has a second page.
  let erasureId = "";
  for (const id of ["gone-1", "gone-2"]) {
    await workspace.sdk.tenants.upsert({ id });
    erasureId = (await workspace.sdk.tenants.delete(id)).id;
  }
  for (let n = 0; n < 2; n++) {
    const delivery = await workspace.sdk.webhookEndpoints.test(endpoint.id);
    await waitFor(async () => {
      const deliveries = await workspace.sdk.deliveries.list().toArray({ limit: 1_000 });
      return deliveries.some((each) => each.id === delivery.id && each.status === "delivered");
    });
    product.sandbox.shopify.act(SHOPS[0], "place-order", {});
  }
  const inbox = await waitFor(
    async () => {
      const items = await workspace.sdk.inbox.list({ status: "routed" }).toArray({ limit: 100 });
      return items.length >= 2 ? items : null;
    },
    { what: "webhooks in the inbox" },
  );
  const [delivery] = await workspace.sdk.deliveries.list().toArray({ limit: 1 });
  const idempotencyKey = `key-of-${name}`;
  await send(product, {
    method: "POST",
    path: "/v1/connect-sessions",
    headers: { ...withKey(workspace.apiKey), "idempotency-key": idempotencyKey },
    body: { tenantId: tenantIds[0], endUser: { id: "u" }, allowedOrigins: [ORIGIN] },
  });
  return {
    ...workspace,
    first,
    second,
    bare: tenantIds[2],
    clientId,
    returnUrl,
    endpointId: endpoint.id,
    deliveryId: delivery?.id ?? "",
    inboxId: inbox[0]?.id ?? "",
    replayId: (await replays(workspace))[0] ?? "",
    deliveryReplayId: (await deliveryReplays(workspace, endpoint.id))[0] ?? "",
    erasureId,
    idempotencyKey,
    uuid,
  };
}

async function arrangeTenant(
  product: TestProduct,
  workspace: TestWorkspace,
  workspaceUuid: string,
  tenantId: string,
  shop: string,
): Promise<TenantSide> {
  const { sdk } = workspace;
  const { id: connectionId } = await connectStore(product, workspace, { tenantId, shop });
  const endUserId = `person-of-${tenantId}`;
  const sessionToken = await mintSession(workspace, tenantId, endUserId);
  const authorization = await startAuthorization(product, sessionToken, shop);
  const [run] = await sdk.runs.list({ connectionId }).toArray({ limit: 1 });
  const [order] = await sdk.records.list(tenantId, "order").toArray({ limit: 1 });
  const events = await sdk.events.list({ tenantId }).toArray({ limit: 1 });
  const [row] = await product.database.sql<{ uid: string }[]>`
    select uid from tenants where workspace_id = ${workspaceUuid} and external_id = ${tenantId}`;
  return {
    id: tenantId,
    connectionId,
    runId: run?.id ?? "",
    orderId: order?.id ?? "",
    eventId: events[0]?.id ?? "",
    authorizationId: authorization.id,
    startUrl: authorization.startUrl,
    sessionToken,
    endUserId,
    rows: { workspaceUuid, tenantUid: row?.uid ?? "" },
  };
}

/** Waits until nothing of a workspace is queued or running: from then on only a caller changes its rows. */
async function settled(product: TestProduct, workspaceUuid: string): Promise<void> {
  const { sql } = product.database;
  await waitFor(
    async () => {
      const [row] = await sql<{ busy: number }[]>`
        select (select count(*) from queue.items where workspace_id = ${workspaceUuid} and kind <> 'erasure')
          + (select count(*) from erasures where workspace_id = ${workspaceUuid} and status <> 'completed')
          + (select count(*) from queue.arrivals where workspace_id = ${workspaceUuid})
          + (select count(*) from queue.unsequenced where workspace_id = ${workspaceUuid})
          + (select count(*) from runs where workspace_id = ${workspaceUuid} and status in ('queued', 'running'))
          + (select count(*) from dirty_marks where workspace_id = ${workspaceUuid})
          + (select count(*) from deliveries where workspace_id = ${workspaceUuid} and status = 'pending') as busy`;
      return Number(row?.busy) === 0;
    },
    { timeoutMs: 30_000, what: "a workspace at rest" },
  );
}

/** Every list of a workspace to its end, as one text: what its key can see. */
export async function everythingListed(
  product: Pick<TestProduct, "url">,
  apiKey: string,
  tenantIds: readonly string[],
): Promise<string> {
  const paths = [
    "/v1/tenants",
    "/v1/erasures",
    "/v1/connections",
    "/v1/runs",
    "/v1/webhook-endpoints",
    "/v1/deliveries",
    "/v1/dead-letters",
    "/v1/inbox",
    "/v1/inbox/replays",
    "/v1/delivery-replays",
    "/v1/events",
    "/v1/providers",
    ...tenantIds.flatMap((tenant) => MODEL_NAMES.map((model: ModelName) => `/v1/tenants/${tenant}/records/${model}`)),
  ];
  const texts: string[] = [];
  for (const path of paths) texts.push(...(await pagesOf(product, apiKey, path)));
  return texts.join("\n");
}

const PAGES_MAX = 50;

async function pagesOf(product: Pick<TestProduct, "url">, apiKey: string, path: string): Promise<readonly string[]> {
  const pages: string[] = [];
  const name = path === "/v1/events" ? "after" : "cursor";
  let cursor: string | null = null;
  do {
    const query: URLSearchParams = new URLSearchParams({
      limit: "100",
      ...(cursor === null ? {} : { [name]: cursor }),
    });
    const suffix = path === "/v1/providers" ? "" : `?${query.toString()}`;
    const answer = await send(product, { method: "GET", path: path + suffix, headers: withKey(apiKey) });
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${answer.text}`);
    pages.push(answer.text);
    const page = jsonOf(answer);
    cursor = page["hasMore"] === true ? String(page["nextCursor"]) : null;
  } while (cursor !== null && pages.length < PAGES_MAX);
  return pages;
}
