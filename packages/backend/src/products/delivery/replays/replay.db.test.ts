import { decodeId, type DeliveryReplayId, type EndpointId, type EventId, type WorkspaceId } from "@patchbay/shared";
import { afterAll, beforeAll, expect, test } from "vitest";
import { waitFor } from "../../../../../../test/harness/wait-for.ts";
import { anEvent, createWorld, type Answer, type World } from "../../../../../../test/harness/delivery-world.ts";
import { createLaneWorker } from "../../../platform/lanes/index.ts";

let world: World;
beforeAll(async () => {
  world = await createWorld();
  world.start();
});
afterAll(() => world.close());

test("a replay sends again what arrived, under the same id, and says so", async () => {
  const { workspaceId, endpointId, receiver } = await anEndpoint(200);
  await sent(workspaceId, 3);
  const wanted = { workspaceId, endpointId, since: new Date(0) };
  expect(await world.delivery.replays.preview(wanted)).toEqual({ matches: 3, exact: true });
  expect(receiver.received).toHaveLength(3);
  const replay = await world.delivery.replays.start(wanted);
  expect(replay).toMatchObject({ status: "running", matches: 3 });
  await ended(workspaceId, replay.id, { status: "completed", replayed: 3, delivered: 3, failed: 0 });

  const ids = receiver.received.map(({ headers }) => headers["webhook-id"]);
  expect(ids.slice(3)).toEqual(ids.slice(0, 3));
  const marks = receiver.received.map(({ headers }) => headers["patchbay-replay"]);
  expect(marks).toEqual(ids.map((_, at) => (at < 3 ? undefined : replay.id)));
});

test("a retry by hand is marked as well", async () => {
  const { workspaceId, receiver } = await anEndpoint(200);
  await sent(workspaceId, 1);
  const [delivery] = (await world.delivery.listDeliveries({ workspaceId, limit: 1 })).data;
  await world.delivery.retryDelivery({ workspaceId, deliveryId: decodeId("dlv", delivery?.id ?? "") ?? fail() });
  await waitFor(async () => receiver.received.length === 2, { what: "the second" });
  expect(receiver.received[1]?.headers["patchbay-replay"]).toBe("manual");
});

test("a replay of what failed drains the dead letters, and nothing else", async () => {
  const { workspaceId, endpointId, receiver } = await anEndpoint(200);
  const [first] = await sent(workspaceId, 3);
  await world.sql`update deliveries set status = 'failed', attempts = 10 where event_id = ${first ?? null}`;
  const replay = await world.delivery.replays.start({ workspaceId, endpointId, only: "failed" });
  await ended(workspaceId, replay.id, { status: "completed", matches: 1, replayed: 1, delivered: 1 });
  expect(receiver.received).toHaveLength(4);
  expect((await world.delivery.listDeadLetters({ workspaceId, limit: 5 })).data).toEqual([]);
});

test("a replay of what is missing brings an endpoint what came before it, as far as it asks for it", async () => {
  const { workspaceId } = await anEndpoint(200);
  await sent(workspaceId, 2);
  const receiver = await world.aReceiver(200);
  const body = { url: receiver.url, types: ["run.*"] };
  const { id } = await world.delivery.endpoints.create({ workspaceId, body });
  const endpointId = decodeId("we", id) ?? fail();
  await sent(workspaceId, 1);
  await sent(workspaceId, 1, "connection.activated");
  const replay = await world.delivery.replays.start({ workspaceId, endpointId, only: "missing" });
  await ended(workspaceId, replay.id, { status: "completed", matches: 2, replayed: 2, delivered: 2 });
  expect(receiver.received).toHaveLength(3);
  expect(await world.delivery.replays.preview({ workspaceId, endpointId, only: "missing" })).toMatchObject({
    matches: 0,
  });
});

test("a replay is of the type, tenant, time and ids that are named", async () => {
  const { workspaceId, endpointId } = await anEndpoint(200);
  const acme = await world.aTenant(workspaceId, "acme");
  const ids = await sent(workspaceId, 2);
  await sent(workspaceId, 1, "connection.activated");
  await world.append([anEvent(workspaceId, { tenantUid: acme.uid, tenantExternalId: "acme" })]);
  await allSettled(workspaceId, 4);
  const count = async (wanted: Partial<Parameters<World["delivery"]["replays"]["preview"]>[0]>) =>
    (await world.delivery.replays.preview({ workspaceId, endpointId, ...wanted })).matches;
  expect(await count({ since: new Date(0) })).toBe(4);
  expect(await count({ since: new Date(0), type: "run.completed" })).toBe(3);
  expect(await count({ since: new Date(0), tenantId: "acme" })).toBe(1);
  expect(await count({ since: new Date(Date.now() + 60_000) })).toBe(0);
  expect(await count({ since: new Date(0), until: new Date(Date.now() - 3_600_000) })).toBe(0);
  expect(await count({ eventIds: ids })).toBe(2);
  expect(await count({ eventIds: ids, type: "connection.activated" })).toBe(0);
});

test("a replay keeps its pace, lets new events go first, and can be canceled", async () => {
  const { workspaceId, endpointId, receiver } = await anEndpoint(200);
  await sent(workspaceId, 100);
  const begun = world.clock.now().getTime();
  const wanted = { workspaceId, endpointId, since: new Date(0), ratePerSecond: 2 };
  const replayId = idOf((await world.delivery.replays.start(wanted)).id);
  await waitFor(async () => receiver.received.length > 101, { what: "the first of them" });
  await sent(workspaceId, 1);
  const canceled = await world.delivery.replays.cancel({ workspaceId, replayId });
  expect(canceled.status).toBe("canceled");
  expect(canceled.replayed).toBeLessThanOrEqual(2 + (2 * (world.clock.now().getTime() - begun)) / 1_000);

  world.pass(60_000);
  await waitFor(async () => (await waiting(endpointId)) === 0, { what: "the end of its work" });
  expect(receiver.received).toHaveLength(101 + canceled.replayed);
});

test("a replay whose worker dies goes on where it stopped, and sends nothing twice", async () => {
  const { workspaceId, endpointId, receiver } = await anEndpoint(200);
  await sent(workspaceId, 6);
  const replay = await world.delivery.replays.start({ workspaceId, endpointId, since: new Date(0), ratePerSecond: 3 });
  await ended(workspaceId, replay.id, { status: "running", replayed: 3, delivered: 3 });
  // Whoever held the lane is gone; its lease runs out.
  await world.sql`
    update queue.lanes set lease_token = gen_random_uuid(), lease_until = ${world.clock.now()}
    where lane_id = ${endpointId} and kind = 'deliveryReplay'`;
  const heir = createLaneWorker({
    ...world.deps,
    database: world.deps.worker,
    kind: "deliveryReplay",
    handle: world.delivery.handleLane,
    lanesMax: 2,
    itemsPerLane: 5,
  });
  heir.start();
  world.pass(2_000);
  await ended(workspaceId, replay.id, { status: "completed", replayed: 6, delivered: 6 });
  await heir.stop();
  expect(receiver.received).toHaveLength(12);
});

async function anEndpoint(...answers: readonly Answer[]) {
  const workspaceId = await world.aWorkspace();
  const receiver = await world.aReceiver(...answers);
  const { id } = await world.delivery.endpoints.create({ workspaceId, body: { url: receiver.url } });
  return { workspaceId, receiver, endpointId: decodeId("we", id) ?? fail() };
}

/** Has events arrive. */
async function sent(
  workspaceId: WorkspaceId,
  events: number,
  type: "run.completed" | "connection.activated" = "run.completed",
): Promise<readonly EventId[]> {
  const ids = await world.append(Array.from({ length: events }, () => anEvent(workspaceId, { type })));
  await waitFor(async () => (await open(workspaceId)) === 0, { what: "deliveries" });
  return ids;
}

async function open(workspaceId: WorkspaceId): Promise<number> {
  const rows = await world.sql`
    select 1 from events e left join deliveries d on d.event_id = e.id
    where e.workspace_id = ${workspaceId} and (e.position is null or d.status = 'pending' and d.replay_id is null)`;
  return rows.length;
}

async function allSettled(workspaceId: WorkspaceId, deliveries: number): Promise<void> {
  await waitFor(
    async () => {
      const rows =
        await world.sql`select 1 from deliveries where workspace_id = ${workspaceId} and status = 'delivered'`;
      return rows.length === deliveries;
    },
    { what: "all delivered" },
  );
}

async function ended(workspaceId: WorkspaceId, id: string, expected: Readonly<Record<string, unknown>>): Promise<void> {
  await waitFor(
    async () => {
      expect(await world.delivery.replays.get({ workspaceId, replayId: idOf(id) })).toMatchObject(expected);
      return true;
    },
    { what: "the replay" },
  );
}

async function waiting(endpointId: EndpointId): Promise<number> {
  const rows = await world.sql`select 1 from queue.items where lane_id = ${endpointId}`;
  return rows.length;
}

function idOf(text: string): DeliveryReplayId {
  return decodeId("drp", text) ?? fail();
}

function fail(): never {
  throw new Error("an id that is none");
}
