import { decodeId, type DeliveryId, type EndpointId, type RecordId, type WorkspaceId } from "@patchbay/shared";
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { anEvent, createWorld, type Answer, type World } from "../../../../../../test/harness/delivery-world.ts";
import { waitFor } from "../../../../../../test/harness/wait-for.ts";

const DAY = 24 * 3_600_000;

let world: World;
beforeAll(async () => {
  world = await createWorld();
  world.start();
});
afterAll(() => world.close());

test("what hosts answered is forgotten after a week; that they did, not yet", async () => {
  const { workspaceId } = await anEndpoint({ status: 200, body: "thanks" });
  await delivered(workspaceId, 1);
  world.clock.advance(6 * DAY);
  expect(await prune(workspaceId)).toBe(0);
  expect(await answers(workspaceId)).toEqual(["thanks"]);
  world.clock.advance(2 * DAY);
  expect(await prune(workspaceId)).toBe(1);
  expect(await answers(workspaceId)).toEqual([null]);
  expect(await prune(workspaceId)).toBe(0);
});

test("after the retention what arrived or was skipped is forgotten with its attempts, and nothing else", async () => {
  const { workspaceId } = await anEndpoint(200);
  await delivered(workspaceId, 6);
  const kept = ["failed", "held", "waiting", "pending"];
  await setStatuses(workspaceId, ["skipped", ...kept, "delivered"]);
  world.clock.advance(29 * DAY);
  expect(await prune(workspaceId)).toBe(0);
  world.clock.advance(2 * DAY);
  expect(await prune(workspaceId)).toBe(2);
  expect(await statuses(workspaceId)).toEqual(kept);
  expect(await attempts(workspaceId)).toBe(kept.length);
});

test("one workspace's pruning leaves another's history", async () => {
  const [mine, theirs] = [await anEndpoint(200), await anEndpoint(200)];
  await delivered(mine.workspaceId, 1);
  await delivered(theirs.workspaceId, 1);
  world.clock.advance(31 * DAY);
  await prune(mine.workspaceId);
  expect([await statuses(mine.workspaceId), await statuses(theirs.workspaceId)]).toEqual([[], ["delivered"]]);
});

test("more than one batch is forgotten at one go, by two at the same time too", async () => {
  const { workspaceId } = await anEndpoint(200);
  await delivered(workspaceId, 1);
  await world.sql`
    with made as (
      insert into events (workspace_id, id, tenant_uid, type, occurred_at, body, body_key_id, position)
      select workspace_id, overlay(id::text placing lpad(to_hex(n), 12, '0') from 25)::uuid, tenant_uid, type, occurred_at, body, body_key_id, n
      from events, generate_series(2, 2501) n where workspace_id = ${workspaceId} returning id, position
    )
    insert into deliveries (workspace_id, id, endpoint_id, event_id, event_type, tenant_uid, position, status, created_at, finished_at)
    select d.workspace_id, made.id, d.endpoint_id, made.id, d.event_type, d.tenant_uid, made.position, 'delivered', d.created_at, d.finished_at
    from deliveries d, made where d.workspace_id = ${workspaceId}`;
  world.clock.advance(31 * DAY);
  const [one, two] = await Promise.all([prune(workspaceId), prune(workspaceId)]);
  expect(one + two).toBe(2_501);
  expect(await statuses(workspaceId)).toEqual([]);
});

describe("a replay after history was forgotten", () => {
  test("of what is missing leaves out what arrived, and finds what came later and did not", async () => {
    const { workspaceId, endpointId, receiver } = await anEndpoint(200);
    await delivered(workspaceId, 3);
    world.clock.advance(31 * DAY);
    await prune(workspaceId);
    const missing = { workspaceId, endpointId, only: "missing" } as const;
    expect(await world.delivery.replays.preview(missing)).toEqual({ matches: 0, exact: true });
    // What it did not want when it came.
    await world.delivery.endpoints.update({ workspaceId, endpointId, body: { types: ["order.*"] } });
    const [later] = await world.append([anEvent(workspaceId)]);
    await sequenced(workspaceId, 4);
    await world.delivery.endpoints.update({ workspaceId, endpointId, body: { types: null } });
    expect(await world.delivery.replays.preview(missing)).toEqual({ matches: 1, exact: true });
    await world.delivery.replays.start(missing);
    await waitFor(() => receiver.received.length === 4, { what: "the missing one" });
    expect(decodeId("evt", String(receiver.received[3]?.headers["webhook-id"]))).toBe(later);
  });

  test("of what is missing brings a new endpoint everything", async () => {
    const { workspaceId, receiver } = await anEndpoint(200);
    await delivered(workspaceId, 3);
    world.clock.advance(31 * DAY);
    await prune(workspaceId);
    const { id } = await world.delivery.endpoints.create({ workspaceId, body: { url: receiver.url } });
    const endpointId = decodeId("we", id) as EndpointId;
    const missing = { workspaceId, endpointId, only: "missing" } as const;
    expect(await world.delivery.replays.preview(missing)).toEqual({ matches: 3, exact: true });
  });

  test("of everything sends it again under the same ids", async () => {
    const { workspaceId, endpointId, receiver } = await anEndpoint(200);
    await delivered(workspaceId, 2);
    world.clock.advance(31 * DAY);
    await prune(workspaceId);
    await world.delivery.replays.start({ workspaceId, endpointId });
    await waitFor(() => receiver.received.length === 4, { what: "both again" });
    const ids = receiver.received.map(({ headers }) => String(headers["webhook-id"]));
    expect(new Set(ids.slice(2))).toEqual(new Set(ids.slice(0, 2)));
  });

  test("is told of with all its deliveries until it is forgotten itself", async () => {
    const { workspaceId, endpointId } = await anEndpoint(200);
    await delivered(workspaceId, 2);
    const { id } = await world.delivery.replays.start({ workspaceId, endpointId });
    const replayId = decodeId("drp", id) ?? ("" as never);
    const look = () => world.delivery.replays.get({ workspaceId, replayId });
    await waitFor(async () => (await look()).delivered === 2, { what: "the replay" });
    // It took longer than its first deliveries.
    await world.sql`update delivery_replays set finished_at = finished_at + interval '5 days' where id = ${replayId}`;
    world.clock.advance(31 * DAY);
    await prune(workspaceId);
    expect(await look()).toMatchObject({ status: "completed", delivered: 2 });
    world.clock.advance(5 * DAY);
    await prune(workspaceId);
    await expect(look()).rejects.toMatchObject({ code: "delivery_replay_not_found" });
    expect(await statuses(workspaceId)).toEqual([]);
  });

  test("keeps the order of a record", async () => {
    const { workspaceId, endpointId, receiver } = await anEndpoint(200);
    await world.delivery.endpoints.update({ workspaceId, endpointId, body: { order: "perRecord" } });
    const id = randomUUID() as RecordId;
    await delivered(
      workspaceId,
      [1, 2, 3].map((version) =>
        anEvent(workspaceId, { type: "order.updated", record: { id, model: "order", version } }),
      ),
    );
    world.clock.advance(31 * DAY);
    await prune(workspaceId);
    await world.delivery.replays.start({ workspaceId, endpointId });
    await waitFor(() => receiver.received.length === 6, { what: "all again" });
    const ids = receiver.received.map(({ headers }) => headers["webhook-id"]);
    expect(ids.slice(3)).toEqual(ids.slice(0, 3));
  });
});

test("a delivery that is sent again at that moment is not forgotten", async () => {
  const { workspaceId, receiver } = await anEndpoint(200);
  await delivered(workspaceId, 1);
  world.clock.advance(31 * DAY);
  const [row] = await world.sql<{ id: DeliveryId }[]>`select id from deliveries where workspace_id = ${workspaceId}`;
  const pruned = Promise.withResolvers<number>();
  await world.sql.begin(async (sending) => {
    await sending`update deliveries set status = 'pending', finished_at = null where workspace_id = ${workspaceId}`;
    prune(workspaceId).then(pruned.resolve, pruned.reject);
    const waits = () => world.sql`
      select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
    await waitFor(async () => (await waits()).length > 0, { what: "the pruning" });
  });
  expect(await pruned.promise).toBe(0);
  await world.delivery.retryDelivery({ workspaceId, deliveryId: row?.id ?? ("" as DeliveryId) });
  await waitFor(() => receiver.received.length === 2, { what: "it again" });
});

test("an endpoint that was deleted long ago goes with all that is left of it", async () => {
  const { workspaceId, endpointId } = await anEndpoint(200);
  await delivered(workspaceId, 3);
  await setStatuses(workspaceId, ["failed", "skipped", "delivered"]);
  await world.delivery.replays.start({ workspaceId, endpointId, type: "order.created" });
  await world.delivery.endpoints.delete({ workspaceId, endpointId });
  world.clock.advance(29 * DAY);
  await prune(workspaceId);
  expect(await statuses(workspaceId)).toHaveLength(3);
  world.clock.advance(2 * DAY);
  await prune(workspaceId);
  const rows = await world.sql`
    select (select count(*) from deliveries where workspace_id = ${workspaceId}) as deliveries,
      (select count(*) from attempts where workspace_id = ${workspaceId}) as attempts,
      (select count(*) from delivery_replays where workspace_id = ${workspaceId}) as replays,
      (select count(*) from endpoints where workspace_id = ${workspaceId}) as endpoints`;
  expect(rows[0]).toEqual({ deliveries: "0", attempts: "0", replays: "0", endpoints: "0" });
});

async function anEndpoint(...replies: readonly Answer[]) {
  const workspaceId = await world.aWorkspace();
  const receiver = await world.aReceiver(...replies);
  const { id } = await world.delivery.endpoints.create({ workspaceId, body: { url: receiver.url } });
  return { workspaceId, receiver, endpointId: decodeId("we", id) as EndpointId };
}

/** Appends so many events, or these, and waits until all arrived and that is on record. */
async function delivered(workspaceId: WorkspaceId, events: number | readonly ReturnType<typeof anEvent>[]) {
  const given = typeof events === "number" ? Array.from({ length: events }, () => anEvent(workspaceId)) : events;
  await world.append(given);
  await waitFor(async () => {
    const all = await statuses(workspaceId);
    return all.length === given.length && all.every((status) => status === "delivered");
  });
}

async function sequenced(workspaceId: WorkspaceId, count: number): Promise<void> {
  const done = () => world.sql`select 1 from events where workspace_id = ${workspaceId} and position is not null`;
  await waitFor(async () => (await done()).length === count, { what: "the position" });
}

async function prune(workspaceId: WorkspaceId): Promise<number> {
  return world.delivery.pruneHistory(workspaceId);
}

/** By position. */
async function setStatuses(workspaceId: WorkspaceId, given: readonly string[]): Promise<void> {
  for (const [index, status] of given.entries()) {
    await world.sql`update deliveries set status = ${status} where workspace_id = ${workspaceId} and position = ${index + 1}`;
  }
}

async function statuses(workspaceId: WorkspaceId): Promise<readonly string[]> {
  const rows = await world.sql`select status from deliveries where workspace_id = ${workspaceId} order by position`;
  return rows.map((row) => row["status"]);
}

async function attempts(workspaceId: WorkspaceId): Promise<number> {
  return (await world.sql`select 1 from attempts where workspace_id = ${workspaceId}`).length;
}

async function answers(workspaceId: WorkspaceId): Promise<readonly (string | null)[]> {
  const rows = await world.sql`select response_body from attempts where workspace_id = ${workspaceId}`;
  return rows.map((row) => row["response_body"]);
}
