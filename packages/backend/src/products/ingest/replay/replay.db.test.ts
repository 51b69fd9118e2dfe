import { decodeId, type InboxReplay, type InboxId } from "@patchbay/shared";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { createIngestWorld, type IngestWorld } from "../../../../../../test/harness/ingest-world.ts";
import { NIL_UUID } from "../../../platform/db/index.ts";
import { createLaneWorker, type LaneWorker } from "../../../platform/lanes/index.ts";
import { forgetTenantSyncs } from "../forget-tenant.ts";
import { inboxIdAt } from "../inbox/inbox-id.ts";
import { createSource } from "../sources/create-source.ts";
import type { ReplayInput } from "./start-replay.ts";

let world: IngestWorld;
type Connection = Awaited<ReturnType<IngestWorld["connect"]>> & {
  readonly sourceId: Awaited<ReturnType<typeof createSource>>;
};
let connection: Connection;

beforeAll(async () => {
  world = await createIngestWorld({ orders: 5, products: 5, customers: 5 });
});
beforeEach(async () => {
  const made = await world.connect();
  const sourceId = await world.deps.app.withWorkspace(made.workspaceId, (tx) =>
    createSource(tx, { ...made, now: new Date() }),
  );
  connection = { ...made, sourceId };
});
afterAll(() => world.close());

test("routes what fits once more, behind what is live, and tells how far it got", async () => {
  await deliverOrders(5);
  await world.sql`delete from dirty_marks where connection_id = ${connection.connectionId}`;
  const replay = await finished(await start());
  expect(replay).toMatchObject({ status: "completed", matches: 5, replayed: 5, skipped: 0, failed: 0 });
  const marks = await world.sql`select patient from dirty_marks where connection_id = ${connection.connectionId}`;
  expect(marks.map((mark) => mark["patient"])).toEqual([true, true, true, true, true]);
  await deliver("orders/updated", `{"id":3}`);
  await world.ingest.router.routeDue();
  const [live] =
    await world.sql`select remote_id from dirty_marks where not patient and connection_id = ${connection.connectionId}`;
  expect(live).toEqual({ remote_id: "3" });
});

test("a second replay of what was applied leads to no second event", async () => {
  const id = [...world.sandbox.shopify.catalog(connection.shop).orders.keys()][0];
  await deliver("orders/updated", `{"id":${String(id)}}`);
  await world.ingest.router.routeDue();
  const lanes = world.lanes();
  lanes.start();
  const marked = async () =>
    (await world.sql`select 1 from dirty_marks where connection_id = ${connection.connectionId}`).length;
  await expect.poll(marked, { timeout: 20_000 }).toBe(0);
  const events = await eventIds();
  expect(events.length).toBeGreaterThan(0);
  await finished(await start());
  await expect.poll(marked, { timeout: 20_000 }).toBe(0);
  await lanes.stop();
  expect(await eventIds()).toEqual(events);
});

test("a preview counts and changes nothing", async () => {
  await deliverOrders(3);
  const { workspaceId } = connection;
  expect(await world.ingest.previewReplay({ workspaceId, since: new Date(0) })).toEqual({ matches: 3, exact: true });
  expect((await world.ingest.listReplays({ workspaceId, limit: 10 })).data).toEqual([]);
});

test("takes by id, by time, by state, by connection and by provider", async () => {
  const { workspaceId, connectionId, sourceId } = connection;
  await deliverOrders(2);
  await deliver("orders/create", "no JSON");
  await world.ingest.router.routeDue();
  const ids = await inboxIds();
  const since = new Date(0);
  const count = async (input: Omit<ReplayInput, "workspaceId">) =>
    (await world.ingest.previewReplay({ workspaceId, ...input })).matches;
  expect(await count({ ids: ids.slice(0, 2) })).toBe(2);
  expect(await count({ since, status: "quarantined" })).toBe(1);
  expect(await count({ since, connectionId })).toBe(2);
  expect(await count({ since, sourceId })).toBe(3);
  expect(await count({ since, provider: "shopify" })).toBe(3);
  expect(await count({ since, provider: "stripe" })).toBe(0);
  expect(await count({ since, until: new Date(1) })).toBe(0);
  expect(await count({ since: new Date(Date.now() + 60_000) })).toBe(0);
});

test("leaves copies copies, unless they are asked for", async () => {
  for (let copy = 0; copy < 3; copy++) await deliver("orders/updated", `{"id":1}`, "same");
  await world.ingest.router.routeDue();
  expect(await finished(await start())).toMatchObject({ matches: 1, replayed: 1 });
  expect(await statuses()).toEqual(["duplicate", "duplicate", "routed"]);
  await finished(await start({ since: new Date(0), status: "duplicate" }));
  expect(await statuses()).toEqual(["routed", "routed", "routed"]);
});

test("routes what was in quarantine once it can be understood", async () => {
  await deliver("orders/create", `{"note":"no id"}`);
  await world.ingest.router.routeDue();
  expect(await statuses()).toEqual(["quarantined"]);
  await world.sql`update inbox_outcomes set problem = 'routing_failed' where workspace_id = ${connection.workspaceId}`;
  await finished(await start({ ids: await inboxIds() }));
  const item = await world.ingest.getInboxItem({
    workspaceId: connection.workspaceId,
    inboxId: (await inboxIds())[0] ?? ("" as InboxId),
  });
  expect(item).toMatchObject({ status: "quarantined", problem: "unknown_shape" });
});

test("passes a request about a person's data on once, however often it is replayed", async () => {
  await deliver("customers/redact", `{"shop_id":1,"customer":{"id":5}}`);
  await world.ingest.router.routeDue();
  await finished(await start());
  await finished(await start({ ids: await inboxIds() }));
  const rows = await world.sql`select 1 from privacy_requests where workspace_id = ${connection.workspaceId}`;
  expect(rows).toHaveLength(1);
});

test("one that cannot be routed is counted and passed over", async () => {
  await deliverOrders(3);
  const [, second] = await inboxIds();
  // A body that does not open: written by nobody of ours.
  await world.sql`update inbox set body = '\\x00' where id = ${second ?? ""}`;
  const replay = await finished(await start());
  expect(replay).toMatchObject({ status: "completed", replayed: 2, failed: 1 });
});

test("skips what nobody can read any more, and leaves its fate as it was", async () => {
  await deliverOrders(2);
  const raw = { workspaceId: connection.workspaceId, tenantUid: NIL_UUID, purpose: "raw" } as const;
  await world.deps.app.withWorkspace(connection.workspaceId, (tx) => world.deps.vault.destroyKeys(tx, raw));
  const replay = await finished(await start());
  expect(replay).toMatchObject({ status: "completed", replayed: 0, skipped: 2 });
  expect(await statuses()).toEqual(["routed", "routed"]);
});

test("goes on where it stopped when its worker dies, and is of each delivery once", async () => {
  await deliverOrders(9);
  const { id } = await start({ since: new Date(0), ratePerSecond: 3 });
  let pages = 0;
  const dying = replayWorker(async (lane) => {
    // Killed behind the second page: what it holds is given back by nobody.
    if (++pages > 2) throw new Error("killed");
    await world.ingest.handleReplay(lane);
  });
  dying.start();
  await expect.poll(() => pages, { timeout: 20_000 }).toBeGreaterThan(2);
  await dying.stop();
  expect(await load(id)).toMatchObject({ status: "running", replayed: 6 });
  expect(await finished({ id })).toMatchObject({ status: "completed", replayed: 9 });
});

test("keeps to its rate", async () => {
  await deliverOrders(6);
  const startedMs = performance.now();
  await finished(await start({ since: new Date(0), ratePerSecond: 3 }));
  // Six at three a second: the second page no sooner than a second after the first.
  expect(performance.now() - startedMs).toBeGreaterThan(1_000);
});

test("waits while live deliveries wait for the router", async () => {
  await deliverOrders(1);
  const replay = await start();
  await deliver("orders/updated", `{"id":2}`);
  await world.sql`update queue.arrivals set run_at = now() - interval '5 s'`;
  const worker = replayWorker();
  worker.start();
  await expect
    .poll(async () => (await world.sql`select 1 from queue.items where kind = 'inboxReplay' and attempts > 0`).length, {
      timeout: 10_000,
    })
    .toBe(1);
  expect(await load(replay.id)).toMatchObject({ replayed: 0 });
  await worker.stop();
  await world.ingest.router.routeDue();
  expect(await finished(replay)).toMatchObject({ status: "completed", replayed: 1 });
});

test("can be canceled, and at most five run in a workspace", async () => {
  const { workspaceId } = connection;
  const replays = await Promise.all(Array.from({ length: 5 }, () => start()));
  await expect(start()).rejects.toMatchObject({ code: "conflict" });
  const replayId = decodeId("irp", replays[0]?.id ?? "");
  if (replayId === null) throw new Error("no replay");
  expect(await world.ingest.cancelReplay({ workspaceId, replayId })).toMatchObject({ status: "canceled" });
  await finished(await start());
  const listed = await world.ingest.listReplays({ workspaceId, limit: 10 });
  expect(listed.data).toHaveLength(6);
  const other = await world.connect();
  await expect(world.ingest.getReplay({ workspaceId: other.workspaceId, replayId })).rejects.toMatchObject({
    code: "inbox_replay_not_found",
  });
});

test("outcomes and ended replays go with the retention of what they are about, and no sooner", async () => {
  const { workspaceId } = connection;
  await deliverOrders(1);
  await finished(await start());
  const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000);
  const outcome = (days: number) => world.sql`
    insert into inbox_outcomes (workspace_id, inbox_id, received_at, element, status, routed_at)
    values (${workspaceId}, ${inboxIdAt(daysAgo(days))}, ${daysAgo(days)}, 0, 'routed', now())`;
  await outcome(32);
  await outcome(30);
  expect(await world.ingest.pruneInbox(workspaceId)).toBe(1);
  expect(await statuses()).toHaveLength(2);
  await world.sql`update inbox_replays set finished_at = ${daysAgo(32)} where workspace_id = ${workspaceId}`;
  expect(await world.ingest.pruneInbox(workspaceId)).toBe(1);
  expect((await world.ingest.listReplays({ workspaceId, limit: 10 })).data).toEqual([]);
});

test("an erased tenant stands in no replay, and nothing waits for its connection", async () => {
  const { workspaceId, tenantUid, connectionId } = connection;
  await world.sql`update connections set status = 'disconnected', ended_at = now() where id = ${connectionId}`;
  await deliverOrders(1);
  await start({ since: new Date(0), connectionId });
  await start({ since: new Date(0), sourceId: connection.sourceId });
  await world.deps.worker.withWorkspace(workspaceId, (tx) => forgetTenantSyncs(tx, { workspaceId, tenantUid }, 100));
  expect((await world.ingest.listReplays({ workspaceId, limit: 10 })).data).toEqual([]);
  const waiting = await world.sql`
    select 1 from inbox_outcomes where workspace_id = ${workspaceId} and waits_for is not null`;
  expect(waiting).toHaveLength(0);
});

function start(input: Omit<ReplayInput, "workspaceId"> = { since: new Date(0) }) {
  return world.ingest.startReplay({ workspaceId: connection.workspaceId, ...input });
}

function replayWorker(handle = world.ingest.handleReplay): LaneWorker {
  const { worker: database, clock, wake, log } = world.deps;
  return createLaneWorker({ database, kind: "inboxReplay", handle, lanesMax: 2, itemsPerLane: 20, clock, wake, log });
}

async function load(id: string): Promise<InboxReplay> {
  const replayId = decodeId("irp", id);
  if (replayId === null) throw new Error("no replay");
  return world.ingest.getReplay({ workspaceId: connection.workspaceId, replayId });
}

/** Works it to its end. */
async function finished({ id }: Pick<InboxReplay, "id">): Promise<InboxReplay> {
  // With caches of its own, as another process has.
  const worker = replayWorker(world.anotherIngest().handleReplay);
  worker.start();
  try {
    await expect.poll(async () => (await load(id)).status, { timeout: 20_000 }).not.toBe("running");
  } finally {
    await worker.stop();
  }
  return load(id);
}

async function deliverOrders(count: number): Promise<void> {
  for (let n = 1; n <= count; n++) await deliver("orders/updated", `{"id":${n}}`);
  await world.ingest.router.routeDue();
}

async function deliver(topic: string, body: string, webhookId?: string): Promise<void> {
  const headers = world.signed(topic, connection.shop, body, webhookId);
  await world.ingest.accept({ ...connection, headers, rawBody: Buffer.from(body), receivedAt: new Date() });
}

async function inboxIds(): Promise<InboxId[]> {
  const rows = await world.sql<{ id: InboxId }[]>`
    select id from inbox where workspace_id = ${connection.workspaceId} order by received_at, id`;
  return rows.map((row) => row.id);
}

async function statuses(): Promise<string[]> {
  const rows =
    await world.sql`select status from inbox_outcomes where workspace_id = ${connection.workspaceId} order by 1`;
  return rows.map((row) => String(row["status"]));
}

async function eventIds(): Promise<string[]> {
  const rows = await world.sql`select id from events where workspace_id = ${connection.workspaceId} order by 1`;
  return rows.map((row) => String(row["id"]));
}
