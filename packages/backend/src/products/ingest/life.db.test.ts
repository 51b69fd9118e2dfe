import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createIngestWorld, type IngestWorld } from "../../../../../test/harness/ingest-world.ts";
import { waitFor } from "../../../../../test/harness/wait-for.ts";

let world: IngestWorld;
let connection: Awaited<ReturnType<IngestWorld["connect"]>>;

beforeAll(async () => {
  world = await createIngestWorld({ orders: 12, products: 12, customers: 8 });
  world.start();
  connection = await world.connect();
  await world.activate(connection);
  await finishedRun("initial");
});
afterAll(() => world.close());

describe("activation", () => {
  test("imports what the store shows, and tells the host of the run, not of each record", async () => {
    const run = await finishedRun("initial");
    expect(run).toMatchObject({ status: "completed", problem: null });
    const { products, customers } = world.sandbox.shopify.catalog(connection.shop);
    expect(await liveRecords("product")).toBe(products.size);
    expect(await liveRecords("customer")).toBe(customers.size);
    expect(await liveRecords("account")).toBe(1);
    for (const model of run.models) {
      expect(model).toMatchObject({ status: "completed", quarantined: 0, done: await liveRecords(model.model) });
    }
    expect(await eventTypes()).toEqual(["run.completed", "run.started"]);
  });

  test("subscribes every topic to the connection's own address, and once only when it is repeated", async () => {
    const rows = await world.sql`select topic, uri from subscriptions where connection_id = ${connection.connectionId}`;
    expect(rows.map((row) => row["topic"])).toContain("ORDERS_CREATE");
    expect(new Set(rows.map((row) => row["uri"])).size).toBe(1);
    expect(await world.ingest.auditSubscriptions(connection)).toEqual({ ok: true, created: 0, refused: [] });
  });

  test("plans the next run, which catches up", async () => {
    const [row] =
      await world.sql`select last_synced_at, next_run_at from connections where id = ${connection.connectionId}`;
    expect(row?.["last_synced_at"]).toBeInstanceOf(Date);
    expect(row?.["next_run_at"].getTime()).toBeLessThanOrEqual(Date.now());
    expect(await world.ingest.scheduleDueRuns(connection.workspaceId)).toBe(1);
    expect(await world.ingest.scheduleDueRuns(connection.workspaceId)).toBe(0);
    expect(await finishedRun("incremental")).toMatchObject({ status: "completed" });
  });
});

describe("what happens in the store", () => {
  test("an order placed is told once, though its webhook came five times", async () => {
    act("switches", { duplicates: 4 });
    const { orderId } = act("place-order", { amount: "40.00", customer: "known" });
    const id = String(orderId);
    await waitFor(() => recordOf("order", id), { what: "the order" });
    act("switches", { duplicates: 0 });
    await quiet();
    const order = await recordOf("order", id);
    expect(order?.["data"]).toMatchObject({ totalAmount: 4_000, currency: "USD" });
    expect(await eventsOf("order", id)).toEqual([{ type: "order.created", version: 1 }]);
    const statuses = await world.sql`
      select status, count(*)::int as count from inbox_outcomes where workspace_id = ${connection.workspaceId} group by 1`;
    expect(
      Object.fromEntries(statuses.map((row) => [row["status"], row["count"]]))["duplicate"],
    ).toBeGreaterThanOrEqual(4);
  });

  test("a refund is told, and the order it changes", async () => {
    const { orderId } = act("place-order", { amount: "25.00", customer: "guest" });
    const id = String(orderId);
    await waitFor(() => recordOf("order", id));
    const { refundId } = act("refund", { orderId: id, amount: "5.00" });
    await waitFor(() => recordOf("refund", String(refundId)), { what: "the refund" });
    await quiet();
    expect((await recordOf("refund", String(refundId)))?.["data"]).toMatchObject({ amount: 500 });
    expect((await eventsOf("order", id)).map(({ type }) => type)).toEqual(["order.created", "order.updated"]);
  });

  test("a product deleted is confirmed by a read and told with its variants", async () => {
    const [product] = await world.sql`
      select remote_id, (select count(*)::int from records v where v.parent_remote_id = p.remote_id and v.model = 'variant') as variants
      from records p where connection_id = ${connection.connectionId} and model = 'product' and not deleted order by 2 desc limit 1`;
    act("delete-product", { productId: product?.["remote_id"] });
    await waitFor(async () => (await recordOf("product", product?.["remote_id"]))?.["deleted"] === true);
    const variants = await world.sql`
      select deleted from records where parent_remote_id = ${product?.["remote_id"]} and model = 'variant'`;
    expect(variants).toHaveLength(product?.["variants"]);
    expect(variants.every((row) => row["deleted"] === true)).toBe(true);
  });

  test("what no webhook told is found by the next incremental run", async () => {
    act("switches", { hold: true });
    const { orderId } = act("place-order", { amount: "11.00", customer: "known" });
    await manualRun("incremental");
    expect(await recordOf("order", String(orderId))).toMatchObject({ deleted: false });
    expect((await eventsOf("order", String(orderId))).map(({ type }) => type)).toEqual(["order.created"]);
    act("release-webhooks");
    await quiet();
    expect(await eventsOf("order", String(orderId))).toHaveLength(1);
  });

  test("what was deleted unheard is found by a full run, after a read of its own", async () => {
    act("switches", { hold: true });
    const [product] = await world.sql`
      select remote_id from records where connection_id = ${connection.connectionId} and model = 'product' and not deleted limit 1`;
    act("delete-product", { productId: product?.["remote_id"] });
    const kept = await liveRecords("product");
    await manualRun("incremental");
    expect(await liveRecords("product")).toBe(kept);
    const run = await manualRun("full");
    expect(await liveRecords("product")).toBe(kept - 1);
    expect(run.models.find(({ model }) => model === "product")).toMatchObject({ deleted: 1 });
    act("release-webhooks");
    await quiet();
  });

  test("a shop's wish to forget a customer is kept and told", async () => {
    const [customer] = world.sandbox.shopify.catalog(connection.shop).customers.keys();
    const body = JSON.stringify({ shop_domain: connection.shop, customer: { id: String(customer) } });
    await deliver("customers/redact", body);
    await quiet();
    const requests =
      await world.sql`select request from privacy_requests where workspace_id = ${connection.workspaceId}`;
    expect(requests.map((row) => row["request"])).toEqual(["redact_customer"]);
    expect(await eventTypes()).toContain("privacy.redactRequested");
  });

  test("a hint that the app was uninstalled ends nothing while the tokens work", async () => {
    await deliver("app/uninstalled", JSON.stringify({ domain: connection.shop }));
    await quiet();
    expect(await status()).toBe("active");
  });

  test("an uninstalled app ends the connection, once its tokens are refused", async () => {
    act("uninstall");
    await waitFor(async () => (await status()) === "revoked");
    await waitFor(async () => (await eventTypes()).includes("connection.revoked"));
    const [source] = await world.sql`select disabled_at from sources where connection_id = ${connection.connectionId}`;
    expect(source?.["disabled_at"]).toBeInstanceOf(Date);
    await expect(world.ingest.triggerRun({ ...connection, kind: "manual", mode: "incremental" })).rejects.toMatchObject(
      { code: "connection_not_active" },
    );
  });

  test("the audit log has once that the provider ended it", async () => {
    await quiet();
    expect(
      await world.sql`
        select kind, action, actor_kind, target_type, tenant_uid, details from audit_entries
        where workspace_id = ${connection.workspaceId}`,
    ).toEqual([
      {
        kind: "fact",
        action: "connection.revoked",
        actor_kind: "provider",
        target_type: "connection",
        tenant_uid: connection.tenantUid,
        details: { provider: "shopify", reason: "access_revoked" },
      },
    ]);
  });
});

function act(verb: string, input: Readonly<Record<string, unknown>> = {}) {
  return world.sandbox.shopify.act(connection.shop, verb, input);
}

/** Nothing is on its way any more: no webhook, no arrival, no lane item, no mark. */
async function quiet(): Promise<void> {
  await world.sandbox.shopify.webhooks.idle();
  await waitFor(
    async () => {
      const [row] = await world.sql`
        select (select count(*) from queue.arrivals) + (select count(*) from queue.items where run_at <= now() + interval '10 s')
          + (select count(*) from queue.feed) + (select count(*) from dirty_marks) as left_over`;
      return Number(row?.["left_over"]) === 0;
    },
    { what: "quiet", timeoutMs: 20_000 },
  );
}

async function deliver(topic: string, body: string): Promise<void> {
  const [row] = await world.sql`select uri from subscriptions where connection_id = ${connection.connectionId} limit 1`;
  const response = await fetch(String(row?.["uri"]), {
    method: "POST",
    headers: world.signed(topic, connection.shop, body, randomUUID()),
    body,
  });
  expect(response.status).toBe(200);
}

async function manualRun(mode: "incremental" | "full") {
  const { runId } = await world.ingest.triggerRun({ ...connection, kind: "manual", mode });
  return waitFor(async () => {
    const run = await world.ingest.getRun({ workspaceId: connection.workspaceId, runId });
    return run.finishedAt === null ? null : run;
  });
}

function finishedRun(kind: string) {
  return waitFor(
    async () => {
      const { data } = await world.ingest.listRuns({ workspaceId: connection.workspaceId, limit: 100 });
      return data.find((run) => run.kind === kind && run.finishedAt !== null);
    },
    { what: `the ${kind} run`, timeoutMs: 30_000 },
  );
}

async function liveRecords(model: string): Promise<number> {
  const rows = await world.sql`
    select 1 from records where connection_id = ${connection.connectionId} and model = ${model} and not deleted`;
  return rows.length;
}

async function recordOf(model: string, remoteId: string) {
  const [row] = await world.sql`
    select data, deleted, version from records
    where connection_id = ${connection.connectionId} and model = ${model} and remote_id = ${remoteId}`;
  return row;
}

async function eventsOf(model: string, remoteId: string) {
  const rows = await world.sql<{ type: string; version: number }[]>`
    select e.type, e.record_version as version from events e join records r on r.id = e.record_id
    where r.connection_id = ${connection.connectionId} and r.model = ${model} and r.remote_id = ${remoteId} order by 2`;
  return [...rows];
}

async function eventTypes(): Promise<string[]> {
  const rows = await world.sql<{ type: string }[]>`
    select distinct type from events where workspace_id = ${connection.workspaceId} order by 1`;
  return rows.map((row) => row.type);
}

async function status(): Promise<string> {
  const [row] = await world.sql`select status from connections where id = ${connection.connectionId}`;
  return row?.["status"];
}
