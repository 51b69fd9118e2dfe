import type { InboxEntry } from "@patchbay/shared";
import { afterAll, beforeEach, beforeAll, describe, expect, test } from "vitest";
import { createIngestWorld, type IngestWorld } from "../../../../../../test/harness/ingest-world.ts";
import { createSource } from "../sources/create-source.ts";

let world: IngestWorld;
let connection: Awaited<ReturnType<IngestWorld["connect"]>> & {
  readonly sourceId: Awaited<ReturnType<typeof createSource>>;
};

beforeAll(async () => {
  world = await createIngestWorld({ orders: 5, products: 12, customers: 5 });
});
beforeEach(async () => {
  const made = await world.connect();
  const sourceId = await world.deps.app.withWorkspace(made.workspaceId, (tx) =>
    createSource(tx, { ...made, now: new Date() }),
  );
  connection = { ...made, sourceId };
});
afterAll(() => world.close());

const ORDER = `{"id":820982911946154508,"admin_graphql_api_id":"gid://shopify/Order/820982911946154508"}`;
const ORDER_ID = "820982911946154508";

describe("the router", () => {
  test("makes one mark of five copies of a delivery, and one lane item", async () => {
    for (let copy = 0; copy < 5; copy++) await deliver("orders/updated", ORDER, { webhookId: "w-1" });
    await world.ingest.router.routeDue();
    expect(await outcomes()).toEqual(["duplicate", "duplicate", "duplicate", "duplicate", "routed"]);
    expect(await marks()).toEqual([{ resource: "orders", remote_id: ORDER_ID, generation: 1, deletion_hinted: false }]);
    expect(await laneItems()).toEqual(["fetch"]);
    expect(await arrivals()).toBe(0);
  });

  test("knows a copy again after its first was routed", async () => {
    await deliver("orders/updated", ORDER, { webhookId: "w-2" });
    await world.ingest.router.routeDue();
    await deliver("orders/updated", ORDER, { webhookId: "w-2" });
    await world.ingest.router.routeDue();
    expect(await outcomes()).toEqual(["duplicate", "routed"]);
    expect(await marks()).toMatchObject([{ generation: 1 }]);
  });

  test("gives a mark a higher generation with each hint, in whatever order they come", async () => {
    await deliver("orders/delete", `{"id":${ORDER_ID}}`);
    await world.ingest.router.routeDue();
    await deliver("orders/updated", ORDER);
    await world.ingest.router.routeDue();
    expect(await marks()).toEqual([{ resource: "orders", remote_id: ORDER_ID, generation: 2, deletion_hinted: true }]);
    expect(await laneItems()).toEqual(["fetch"]);
  });

  test("tells the digits of ids beyond 2^53", async () => {
    await deliver("orders/create", `{"id":9007199254740993}`);
    await world.ingest.router.routeDue();
    expect(await marks()).toMatchObject([{ remote_id: "9007199254740993" }]);
  });

  test("keeps in quarantine what is no JSON, or of no shape we know", async () => {
    await deliver("orders/create", "no JSON");
    await deliver("orders/create", `"text"`);
    await deliver("orders/create", `{"note":"no id"}`);
    await deliver("orders/create", "[".repeat(5_000));
    await world.ingest.router.routeDue();
    const { data } = await world.ingest.listInbox({
      workspaceId: connection.workspaceId,
      limit: 10,
      status: "quarantined",
    });
    expect(data.map((entry) => String(entry.problem)).toSorted()).toEqual([
      "not_json",
      "not_json",
      "unknown_shape",
      "unknown_shape",
    ]);
    expect(await arrivals()).toBe(0);
    expect(await marks()).toEqual([]);
  });

  test("parks what names another account than its source's", async () => {
    await deliver("orders/create", ORDER, { shop: "maison-lumiere.myshopify.com" });
    await deliver("shop/update", `{"id":999}`);
    await world.ingest.router.routeDue();
    expect(await outcomes()).toEqual(["unrouted", "unrouted"]);
    const { data } = await world.ingest.listInbox({
      workspaceId: connection.workspaceId,
      limit: 10,
      status: "unrouted",
    });
    expect(data[0]).toMatchObject({ problem: "account_mismatch", connectionId: null });
    expect(await marks()).toEqual([]);
  });

  test("parks what comes for a connection that has ended", async () => {
    await world.sql`update connections set status = 'disconnected', ended_at = now() where id = ${connection.connectionId}`;
    await deliver("orders/create", ORDER);
    await world.ingest.router.routeDue();
    expect(await outcomes()).toEqual(["unrouted"]);
    expect(await laneItems()).toEqual([]);
  });

  test("ignores topics and models that the connection does not keep", async () => {
    await world.sql`update connections set models = '{customer}' where id = ${connection.connectionId}`;
    await deliver("orders/create", ORDER);
    await deliver("carts/update", `{"id":"1"}`);
    await world.ingest.router.routeDue();
    expect(await outcomes()).toEqual(["ignored", "ignored"]);
    expect(await marks()).toEqual([]);
  });

  test("marks both customers of a merge", async () => {
    const gid = (id: string) => `gid://shopify/Customer/${id}`;
    await deliver(
      "customers/merge",
      JSON.stringify({ admin_graphql_api_id_customer_kept: gid("1"), admin_graphql_api_id_customer_deleted: gid("2") }),
    );
    await world.ingest.router.routeDue();
    expect(await marks()).toMatchObject([
      { remote_id: "1", deletion_hinted: false },
      { remote_id: "2", deletion_hinted: true },
    ]);
    expect(await outcomes()).toEqual(["routed", "routed"]);
  });

  test("routes all others when one cannot be, and puts that one off, then into quarantine", async () => {
    await deliver("orders/create", ORDER);
    await deliver("orders/create", `{"id":1}`);
    // A body that does not open: written by nobody of ours.
    await world.sql`
      insert into inbox select workspace_id, received_at, ${"01890000-0000-7000-8000-000000000001"}::uuid, source_id, provider, headers,
        body, body_key_id, body_bytes, body_sha256, secret_index
      from inbox where workspace_id = ${connection.workspaceId} limit 1`;
    await world.sql`
      insert into queue.arrivals (id, workspace_id, received_at, run_at)
      select id, workspace_id, received_at, received_at from inbox where id = '01890000-0000-7000-8000-000000000001'`;
    await world.ingest.router.routeDue();
    expect(await outcomes()).toEqual(["routed", "routed"]);
    expect(await arrivals()).toBe(1);
    for (let attempt = 0; attempt < 4; attempt++) {
      await world.sql`update queue.arrivals set run_at = now() - interval '1 minute'`;
      await world.ingest.router.routeDue();
    }
    expect(await arrivals()).toBe(0);
    const { data } = await world.ingest.listInbox({
      workspaceId: connection.workspaceId,
      limit: 10,
      status: "quarantined",
    });
    expect(data).toMatchObject([{ problem: "routing_failed" }]);
  });

  test("routes each delivery once when several routers work at the same time", async () => {
    for (let i = 0; i < 40; i++) await deliver("orders/create", `{"id":${i + 1}}`);
    const routers = [world.ingest, world.anotherIngest(), world.anotherIngest()].map((ingest) => ingest.router);
    await Promise.all(routers.flatMap((router) => [router.routeDue(), router.routeDue()]));
    while ((await arrivals()) > 0) await world.ingest.router.routeDue();
    const found = await marks();
    expect(found).toHaveLength(40);
    expect(found.every((mark) => mark["generation"] === 1)).toBe(true);
    expect(await outcomes()).toHaveLength(40);
    expect(await laneItems()).toEqual(["fetch"]);
  });

  test("shows a delivery's fate in the inbox, to its own workspace alone", async () => {
    await deliver("orders/create", ORDER);
    const before = await world.ingest.listInbox({ workspaceId: connection.workspaceId, limit: 10 });
    expect(before.data).toMatchObject([{ status: "received", topic: null }]);
    await world.ingest.router.routeDue();
    const [entry] = (await world.ingest.listInbox({ workspaceId: connection.workspaceId, limit: 10, status: "routed" }))
      .data;
    expect(entry).toMatchObject({ topic: "orders/create", provider: "shopify", bodyBytes: ORDER.length });
    const other = await world.connect();
    expect((await world.ingest.listInbox({ workspaceId: other.workspaceId, limit: 10 })).data).toEqual([]);
    const [row] = await world.sql`select id from inbox where workspace_id = ${connection.workspaceId}`;
    await expect(
      world.ingest.getInboxItem({ workspaceId: other.workspaceId, inboxId: row?.["id"] }),
    ).rejects.toMatchObject({ code: "inbox_item_not_found" });
  });

  test("lists the inbox page by page, newest first", async () => {
    for (let i = 0; i < 5; i++) await deliver("orders/create", `{"id":${i + 1}}`);
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await world.ingest.listInbox({ workspaceId: connection.workspaceId, limit: 2, cursor });
      seen.push(...page.data.map((entry) => entry.id));
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    expect(seen).toHaveLength(5);
    expect(seen).toEqual(seen.toSorted().reverse());
  });

  test("forgets deliveries seen more than a week ago, and no others", async () => {
    await deliver("orders/create", ORDER, { webhookId: "old" });
    await world.ingest.router.routeDue();
    await world.sql`update inbox_dedupe set seen_at = now() - interval '8 days' where workspace_id = ${connection.workspaceId}`;
    await deliver("orders/create", ORDER, { webhookId: "new" });
    await world.ingest.router.routeDue();
    expect(await world.ingest.pruneInbox(connection.workspaceId)).toBe(1);
    expect(await world.ingest.pruneInbox(connection.workspaceId)).toBe(0);
  });
});

async function deliver(
  topic: string,
  body: string,
  given: { readonly webhookId?: string; readonly shop?: string } = {},
): Promise<void> {
  const headers = world.signed(topic, given.shop ?? connection.shop, body, given.webhookId);
  await world.ingest.accept({
    ...connection,
    headers,
    rawBody: Buffer.from(body),
    receivedAt: new Date(),
  });
}

async function outcomes(): Promise<InboxEntry["status"][]> {
  const rows = await world.sql<{ status: InboxEntry["status"] }[]>`
    select status from inbox_outcomes where workspace_id = ${connection.workspaceId} order by 1`;
  return rows.map((row) => row.status);
}

async function marks() {
  const rows = await world.sql`
    select resource, remote_id, generation::int, deletion_hinted from dirty_marks
    where connection_id = ${connection.connectionId} order by remote_id`;
  return [...rows];
}

async function laneItems(): Promise<string[]> {
  const rows = await world.sql<{ task: string }[]>`
    select task from queue.items where lane_id = ${connection.connectionId} order by 1`;
  return rows.map((row) => row.task);
}

async function arrivals(): Promise<number> {
  const rows = await world.sql`select 1 from queue.arrivals where workspace_id = ${connection.workspaceId}`;
  return rows.length;
}
