/** What is left of a tenant that its host deleted: nothing but a tombstone, a receipt and what the receipt names. */
import type { Connection, Erasure } from "@patchbay/shared";
import { decodeId } from "@patchbay/shared";
import { createHmac, randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createLogger } from "../../packages/backend/src/platform/observability/index.ts";
import { connectStore } from "../harness/connect-store.ts";
import { startTestProduct, type TestProduct, type TestWorkspace } from "../harness/product.ts";
import { waitFor } from "../harness/wait-for.ts";
import { jsonOf, send, withKey, withSession } from "./http.ts";
import { rowsNaming, tablesHolding, tablesWithTenant } from "./tenant-rows.ts";
import { everythingListed, mintSession, startAuthorization } from "./world.ts";

const SHOP = "acme-goods.myshopify.com";
const OTHER_SHOP = "maison-lumiere.myshopify.com";
const MS_MAX = 60_000;

let product: TestProduct;
let workspace: TestWorkspace;
let receiver: Server;
let holdAnswers: Promise<void> | null = null;
const received: string[] = [];
const logs: string[] = [];
beforeAll(async () => {
  receiver = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      received.push(Buffer.concat(chunks).toString());
      void (holdAnswers ?? Promise.resolve()).then(() => response.end("ok"));
    });
  });
  receiver.listen(0, "127.0.0.1");
  await once(receiver, "listening");
  const log = createLogger("trace", { write: (line) => logs.push(line) });
  product = await startTestProduct({ log, endpointOrigins: [receiverOrigin()] });
  workspace = await product.addWorkspace();
  await workspace.sdk.webhookEndpoints.create({ url: `${receiverOrigin()}/hooks` });
}, 60_000);
afterAll(async () => {
  await product.close();
  receiver.closeAllConnections();
  receiver.close();
});

describe("a tenant that is erased", () => {
  const canary = `canary-${randomBytes(12).toString("hex")}`;
  const id = `id.${canary}`;
  let connection: Connection;
  let sessionToken: string;
  let inboxUrl: string;
  let startUrl: string;
  let before: Ids;
  let cursorBefore: string;
  let erasure: Erasure;

  beforeAll(async () => {
    const { sdk } = workspace;
    await sdk.tenants.upsert({ id: "neighbour" });
    await connectStore(product, workspace, { tenantId: "neighbour", shop: OTHER_SHOP });
    await sdk.tenants.upsert({ id, name: `name ${canary}`, metadata: { note: canary } });
    connection = await connectStore(product, workspace, { tenantId: id, shop: SHOP });
    const [order] = await sdk.records.list(id, "order").toArray({ limit: 1 });
    product.sandbox.shopify.act(SHOP, "update-order", { orderId: order?.remoteId ?? "", note: `note ${canary}` });
    await waitFor(() => received.some((body) => body.includes(`note ${canary}`)), { what: "the order's event" });
    inboxUrl = product.sandbox.shopify.deliveries(SHOP)[0]?.url ?? "";
    await sdk.connectSessions.create({
      tenantId: id,
      endUser: { id: canary, email: `${canary}@example.com`, label: canary },
      allowedOrigins: ["http://host.localhost:9"],
    });
    sessionToken = await mintSession(workspace, id, "person");
    ({ startUrl } = await startAuthorization(product, sessionToken, OTHER_SHOP));
    before = await idsOf(id);
    expect(await rowsNaming(product.database.sql, Object.values(before).flat())).not.toEqual([]);
    expect((await tablesHolding(product.database.sql, canary)).length).toBeGreaterThan(2);
    cursorBefore = String(jsonOf(await get("/v1/events?limit=5"))["nextCursor"]);
    // One delivery is on its way while the tenant goes, others wait behind it.
    let letGo = () => {};
    holdAnswers = new Promise((resolve) => (letGo = resolve));
    const change = (note: string) =>
      product.sandbox.shopify.act(SHOP, "update-order", { orderId: order?.remoteId ?? "", note });
    for (let n = 0; n < 3; n++) change(`${n} ${canary}`);
    const sent = received.length;
    await waitFor(() => received.length > sent, { what: "a delivery in flight" });
    received.length = 0;
    erasure = await sdk.tenants.delete(id);
    letGo();
    holdAnswers = null;
    erasure = await completed(erasure.id);
  }, MS_MAX);

  test("is answered at once with keys destroyed, and is unknown from then on", async () => {
    expect(erasure.keysDestroyed).toBeGreaterThan(0);
    expect(erasure.shreddedAt).toBe(erasure.requestedAt);
    for (const path of [`/v1/tenants/${id}`, `/v1/tenants/${id}/records/order`, `/v1/connections/${connection.id}`]) {
      expect((await get(path)).status, path).toBe(404);
    }
    const session = await send(product, {
      method: "GET",
      path: `/connect/v1/connections/${connection.id}`,
      headers: withSession(sessionToken),
    });
    expect(session.status).toBe(401);
    const opened = await fetch(startUrl, { redirect: "manual" });
    expect(opened.headers.get("location") ?? "").not.toContain("/admin/oauth");
  });

  test("T8: is named in no table but the tombstone, the receipt and the audit log", async () => {
    const { sql } = product.database;
    expect((await tablesWithTenant(sql)).length).toBeGreaterThan(10);
    await waitFor(async () => (await rowsNaming(sql, Object.values(before).flat())).length === 0).catch(() => {});
    expect(await rowsNaming(sql, Object.values(before).flat())).toEqual([]);
    const [tombstone] = await sql`select * from tenants where uid = ${before.tenant[0] ?? ""}`;
    expect(tombstone).toMatchObject({ external_id: "", name: null, metadata: {} });
    expect(tombstone?.["erased_at"]).toBeInstanceOf(Date);
  });

  test("T8: leaves its vault shredded and no work in any queue", async () => {
    const { sql } = product.database;
    const keys = await sql`
      select 1 from data_keys where tenant_uid = ${before.tenant[0] ?? ""}
        or (octet_length(wrapped) > 0 and scope ~ ${[...before.sources, ...before.grants].join("|")})`;
    expect(keys).toHaveLength(0);
    for (const table of ["lanes", "items", "feed", "tenants"]) {
      expect(await sql`select 1 from queue.${sql(table)} where tenant_uid = ${before.tenant[0] ?? ""}`).toHaveLength(0);
    }
  });

  test("T8: its name, its people and its orders are in no table, log line or export", async () => {
    expect(await tablesHolding(product.database.sql, canary)).toEqual([]);
    expect(logs.length).toBeGreaterThan(100);
    expect(logs.filter((line) => line.includes(canary))).toEqual([]);
    expect(await everythingListed(product, workspace.apiKey, ["neighbour"])).not.toContain(canary);
    expect(JSON.stringify(await get(`/v1/erasures/${erasure.id}`))).not.toContain(canary);
  });

  test("is not told of any more, while the feed goes on over its events", async () => {
    expect(received.filter((body) => body.includes(canary) || body.includes(connection.id))).toEqual([]);
    const { sdk } = workspace;
    const all = await sdk.events.list().toArray({ limit: 1_000 });
    expect(all.map((event) => event.tenantId)).not.toContain(id);
    product.sandbox.shopify.act(OTHER_SHOP, "place-order", {});
    const later = await waitFor(
      async () => {
        const page = jsonOf(await get(`/v1/events?limit=100&after=${encodeURIComponent(cursorBefore)}`));
        const types = (page["data"] as { type: string }[]).map((event) => event.type);
        return types.includes("order.created") ? types : null;
      },
      { what: "an event behind the gap" },
    );
    expect(later.length).toBeGreaterThan(0);
    await waitFor(() => received.some((body) => body.includes('"order.created"')), { what: "its delivery" });
    expect(logs.filter((line) => line.includes("not sequenced") || line.includes("lane failed"))).toEqual([]);
  });

  test("has a receipt that says what was removed and what remains until when", async () => {
    const { rowsRemoved, remains } = erasure;
    for (const table of ["records", "events", "deliveries", "attempts", "connections", "runs", "sources"]) {
      expect(rowsRemoved[table], table).toBeGreaterThan(0);
    }
    const again = await waitFor(async () => {
      const now = await workspace.sdk.erasures.retrieve(erasure.id);
      return now.provider === "told" ? now : null;
    });
    expect(again.rowsRemoved["grants"]).toBe(1);
    expect(again.grants).toEqual({ destroyed: 1, shared: 0, pending: 0 });
    const backups = remains.find((each) => each.what === "database_backups");
    expect(backups).toMatchObject({ until: null });
    expect(backups?.detail).toMatch(/not told how long.+key-encryption key of that time \(\S+\) are retired/s);
    const raw = remains.find((each) => each.what === "raw_webhooks");
    expect(Date.parse(raw?.until ?? "") - Date.parse(erasure.requestedAt)).toBeGreaterThan(30 * 86_400_000);
  });

  test("is known at the provider no more", () => {
    expect(() => product.sandbox.shopify.act(SHOP, "uninstall", {})).toThrow("No app is installed");
  });

  test("gets no webhook any more: what still comes is routed to nobody", async () => {
    const body = JSON.stringify({ id: 1, note: canary });
    const status = await postWebhook(inboxUrl, "orders/updated", body, SHOP);
    expect([200, 404]).toContain(status);
    await waitFor(async () => (await product.database.sql`select 1 from queue.arrivals`).length === 0);
    expect(await rowsNaming(product.database.sql, before.tenant)).toEqual([]);
    expect(await tablesHolding(product.database.sql, canary)).toEqual([]);
  });

  test("is not found by a second request, nor from another workspace", async () => {
    const other = await product.addWorkspace();
    await other.sdk.tenants.upsert({ id });
    await expect(workspace.sdk.tenants.delete(id)).rejects.toMatchObject({ code: "tenant_not_found" });
    await expect(other.sdk.erasures.retrieve(erasure.id)).rejects.toMatchObject({ code: "erasure_not_found" });
    expect((await other.sdk.tenants.retrieve(id)).id).toBe(id);
    await other.sdk.tenants.delete(id);
  });

  test("does not meet its next incarnation, which imports the same store anew", async () => {
    const again = await connectStore(product, workspace, { tenantId: id, shop: SHOP });
    expect(again.id).not.toBe(connection.id);
    const orders = await workspace.sdk.records.list(id, "order").toArray({ limit: 1_000 });
    expect(orders.length).toBeGreaterThan(0);
    expect(orders.every((order) => order.connectionId === again.id && order.version === 1)).toBe(true);
    expect((await idsOf(id)).tenant).not.toEqual(before.tenant);
    expect(await rowsNaming(product.database.sql, before.tenant)).toEqual([]);
    const { id: end } = await workspace.sdk.tenants.delete(id);
    expect(await completed(end, ({ grants }) => grants.pending === 0)).toMatchObject({ grants: { destroyed: 1 } });
  });
});

describe("erasing", () => {
  test("ten times at once erases once", async () => {
    await workspace.sdk.tenants.upsert({ id: "once" });
    const answers = await Promise.all(
      Array.from({ length: 10 }, () =>
        send(product, { method: "DELETE", path: "/v1/tenants/once", headers: withKey(workspace.apiKey) }),
      ),
    );
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
      202,
      ...Array.from({ length: 9 }, () => 404),
    ]);
  });

  test("while the first import runs stops it and leaves nothing of it", async () => {
    product.sandbox.shopify.act(SHOP, "switches", { latencyMs: 80 });
    await connectStore(product, workspace, { tenantId: "importing", shop: SHOP, awaitImport: false });
    const ids = await idsOf("importing");
    await waitFor(async () => (await recordsOf(ids)) > 0, { what: "the first records", intervalMs: 5 });
    const { id } = await workspace.sdk.tenants.delete("importing");
    const { rowsRemoved } = await completed(id);
    product.sandbox.shopify.act(SHOP, "switches", { latencyMs: 0 });
    expect(rowsRemoved["records"]).toBeGreaterThan(0);
    expect(await rowsNaming(product.database.sql, [...ids.tenant, ...ids.connections, ...ids.sources])).toEqual([]);
  });

  test("one of two tenants on a store leaves the other's access, data and webhooks alone", async () => {
    await connectStore(product, workspace, { tenantId: "left", shop: OTHER_SHOP });
    const [neighbour] = await workspace.sdk.connections.list({ tenantId: "neighbour" }).toArray({ limit: 1 });
    const ids = await idsOf("left");
    const { id } = await workspace.sdk.tenants.delete("left");
    const { grants, provider } = await completed(id, (erasure) => erasure.grants.pending === 0);
    expect({ grants, provider }).toEqual({ grants: { destroyed: 0, shared: 1, pending: 0 }, provider: "none" });
    expect(await rowsNaming(product.database.sql, [...ids.tenant, ...ids.connections])).toEqual([]);
    expect(await workspace.sdk.connections.test(neighbour?.id ?? "")).toMatchObject({ ok: true });
    const count = (await workspace.sdk.records.list("neighbour", "order").toArray({ limit: 1_000 })).length;
    const placed = Date.now();
    product.sandbox.shopify.act(OTHER_SHOP, "place-order", {});
    await waitFor(
      async () => (await workspace.sdk.records.list("neighbour", "order").toArray({ limit: 1_000 })).length > count,
      { what: "the neighbour's new order" },
    );
    const calls = product.sandbox.shopify
      .deliveries(OTHER_SHOP)
      .filter(({ triggeredAt }) => triggeredAt.getTime() >= placed);
    expect(new Set(calls.map(({ url }) => url)).size).toBe(1);
  });

  test("does not wait for a provider that cannot be reached", async () => {
    await connectStore(product, workspace, { tenantId: "far", shop: SHOP });
    const ids = await idsOf("far");
    product.sandbox.shopify.act(SHOP, "switches", { failCount: 10_000, failStatus: 502 });
    const { id } = await workspace.sdk.tenants.delete("far");
    const done = await completed(id);
    expect(done).toMatchObject({ status: "completed", provider: "pending", grants: { pending: 1 } });
    expect(await rowsNaming(product.database.sql, [...ids.tenant, ...ids.connections, ...ids.sources])).toEqual([]);
    product.sandbox.shopify.act(SHOP, "switches", { failCount: 0 });
  });
});

interface Ids {
  readonly tenant: readonly string[];
  readonly connections: readonly string[];
  readonly grants: readonly string[];
  readonly sources: readonly string[];
}

async function idsOf(tenantId: string): Promise<Ids> {
  const { sql } = product.database;
  const workspaceId = decodeId("ws", workspace.workspace.id) ?? "";
  const [tenant] = await sql<{ uid: string }[]>`
    select uid from tenants where workspace_id = ${workspaceId} and external_id = ${tenantId}`;
  const connections = await sql<{ id: string; grant_id: string }[]>`
    select id, grant_id from connections where tenant_uid = ${tenant?.uid ?? ""}`;
  const sources = await sql<{ id: string }[]>`
    select id from sources where connection_id = any(${connections.map((row) => row.id)})`;
  return {
    tenant: [tenant?.uid ?? ""],
    connections: connections.map((row) => row.id),
    grants: connections.map((row) => row.grant_id),
    sources: sources.map((row) => row.id),
  };
}

async function recordsOf(ids: Ids): Promise<number> {
  const rows = await product.database.sql`select 1 from records where tenant_uid = ${ids.tenant[0] ?? ""}`;
  return rows.length;
}

function completed(id: string, also: (erasure: Erasure) => boolean = () => true): Promise<Erasure> {
  return waitFor(
    async () => {
      const erasure = await workspace.sdk.erasures.retrieve(id);
      return erasure.status === "completed" && also(erasure) ? erasure : null;
    },
    { timeoutMs: MS_MAX, what: "the erasure" },
  );
}

function get(path: string) {
  return send(product, { method: "GET", path, headers: withKey(workspace.apiKey) });
}

async function postWebhook(url: string, topic: string, body: string, shop: string): Promise<number> {
  const response = await fetch(url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "x-shopify-topic": topic,
      "x-shopify-shop-domain": shop,
      "x-shopify-webhook-id": randomUUID(),
      "x-shopify-hmac-sha256": createHmac("sha256", "sandbox-secret-0001").update(body).digest("base64"),
    },
    body,
  });
  return response.status;
}

function receiverOrigin(): string {
  const address = receiver.address();
  return typeof address === "object" && address !== null ? `http://127.0.0.1:${address.port}` : "";
}
