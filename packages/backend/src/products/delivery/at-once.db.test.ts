import { encodeId, type RecordId, type WorkspaceId } from "@patchbay/shared";
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { waitFor } from "../../../../../test/harness/wait-for.ts";
import { anEvent, createWorld, type Received, type World } from "../../../../../test/harness/delivery-world.ts";

let world: World;
beforeAll(async () => {
  world = await createWorld();
  world.start();
});
afterAll(() => world.close());

test("several deliveries of one tenant are under way at once, but never two about the same record", async () => {
  const workspaceId = await world.aWorkspace();
  const all = Promise.withResolvers<void>();
  const receiver = await world.aReceiver({ status: 200, before: () => all.promise });
  await world.delivery.endpoints.create({ workspaceId, body: { url: receiver.url } });
  const [first, second, third] = [aRecord(), aRecord(), aRecord()];
  const versions = [first, second, third, first, second].map(
    (id, index) => ({ id, model: "order", version: index < 3 ? 1 : 2 }) as const,
  );
  const ids = await world.append(versions.map((record) => anEvent(workspaceId, { record })));
  const told = ids.map((id) => encodeId("evt", id));

  await waitFor(async () => receiver.received.length === 3, { what: "one of each record" });
  expect(new Set(seen(receiver))).toEqual(new Set(told.slice(0, 3)));
  all.resolve();
  await waitFor(async () => receiver.received.length === 5, { what: "the later versions" });
  expect(new Set(seen(receiver))).toEqual(new Set(told));
});

test("requests go on while the answers of earlier ones are still being written down", async () => {
  const { workspaceId, receiver } = await whileUnwritten(200, async ({ workspaceId, receiver }) => {
    await waitFor(async () => receiver.received.length >= 32, { what: "as many as may be unwritten" });
    expect(await attempts(workspaceId)).toBe(0);
    expect(receiver.received).toHaveLength(32);
  });
  await waitFor(async () => (await attempts(workspaceId)) === 40, { what: "all of them" });
  expect(receiver.received).toHaveLength(40);
});

test("one refusal that is not written down yet makes the next ones wait", async () => {
  await whileUnwritten(500, async ({ receiver }) => {
    await waitFor(waitsForLock, { what: "the first to be written down" });
    // Time enough for all others, were they let go.
    for (let i = 0; i < 50; i++) await world.sql`select 1`;
    expect(receiver.received.length).toBeLessThanOrEqual(8);
  });
});

test("an endpoint that may be in trouble is sent one at a time", async () => {
  const workspaceId = await world.aWorkspace();
  let [underWay, most] = [0, 0];
  const before = async () => {
    most = Math.max(most, ++underWay);
    await delay(20);
    underWay--;
  };
  const receiver = await world.aReceiver(500, { status: 200, before });
  await world.delivery.endpoints.create({ workspaceId, body: { url: receiver.url } });
  await world.append([anEvent(workspaceId)]);
  await waitFor(async () => (await attempts(workspaceId)) === 1, { what: "the failure" });
  // It stays in doubt whatever comes of these.
  await world.sql`update endpoints set consecutive_failures = 9 where workspace_id = ${workspaceId}`;
  await world.append(
    Array.from({ length: 4 }, () => anEvent(workspaceId, { record: { id: aRecord(), model: "order", version: 1 } })),
  );
  await waitFor(async () => (await attempts(workspaceId)) === 5, { what: "all of them" });
  expect(most).toBe(1);
});

test("attempts written down together stand, but for those of a lane that went to another worker meanwhile", async () => {
  const workspaceId = await world.aWorkspace();
  const gate = Promise.withResolvers<void>();
  const receiver = await world.aReceiver({ status: 200, before: () => gate.promise });
  await world.delivery.endpoints.create({ workspaceId, body: { url: receiver.url } });
  const tenants = await Promise.all(["acme", "bolt", "coil"].map((id) => world.aTenant(workspaceId, id)));
  for (const { uid: tenantUid } of tenants) await world.append([anEvent(workspaceId, { tenantUid })]);
  await waitFor(async () => receiver.received.length === 3, { what: "one of each tenant" });
  const stolen = tenants[1]?.uid ?? "";
  await world.sql`update queue.lanes set lease_token = gen_random_uuid() where tenant_uid = ${stolen}`;
  gate.resolve();

  await waitFor(async () => (await delivered(workspaceId)).length === 2, { what: "what was still ours" });
  expect(await delivered(workspaceId)).not.toContain(stolen);
  // The thief dies without a word: the lane is free when its lease is over.
  await world.sql`update queue.lanes set lease_until = now() - interval '1 second' where tenant_uid = ${stolen}`;
  await waitFor(async () => (await delivered(workspaceId)).length === 3, { what: "the stolen one" });
  expect(receiver.received).toHaveLength(4);
  expect(await attempts(workspaceId)).toBe(3);
});

test("attempts whose writing down ended in a deadlock are written down one by one, and not made again", async () => {
  const workspaceId = await world.aWorkspace();
  const gate = Promise.withResolvers<void>();
  const receiver = await world.aReceiver({ status: 200, before: () => gate.promise });
  await world.delivery.endpoints.create({ workspaceId, body: { url: receiver.url } });
  const record = () => ({ id: aRecord(), model: "order", version: 1 }) as const;
  await world.append([anEvent(workspaceId, { record: record() }), anEvent(workspaceId, { record: record() })]);
  await waitFor(async () => receiver.received.length === 2, { what: "both to be under way" });
  const rows = await world.sql<
    { id: string }[]
  >`select id from deliveries where workspace_id = ${workspaceId} order by id`;
  const [low, high] = rows.map(({ id }) => id);

  await world.sql.begin(async (other) => {
    await other`select 1 from deliveries where id = ${high ?? ""} for update`;
    gate.resolve();
    await waitFor(waitsForLock, { what: "the attempts to be written down" });
    await other`select 1 from deliveries where id = ${low ?? ""} for update`;
  });
  await waitFor(async () => (await attempts(workspaceId)) === 2, { what: "both attempts" });
  expect(receiver.received).toHaveLength(2);
});

interface Unwritten {
  readonly workspaceId: WorkspaceId;
  readonly receiver: Awaited<ReturnType<World["aReceiver"]>>;
}

/** Sends 40 events of 40 records, and looks at what comes of it while no attempt can be written down. */
async function whileUnwritten(status: number, look: (sent: Unwritten) => Promise<void>): Promise<Unwritten> {
  const workspaceId = await world.aWorkspace();
  const receiver = await world.aReceiver({ status });
  await world.delivery.endpoints.create({ workspaceId, body: { url: receiver.url } });
  await world.sql.begin(async (other) => {
    await other`lock table attempts in exclusive mode`;
    await world.append(
      Array.from({ length: 40 }, () => anEvent(workspaceId, { record: { id: aRecord(), model: "order", version: 1 } })),
    );
    await look({ workspaceId, receiver });
  });
  return { workspaceId, receiver };
}

const waitsForLock = async () =>
  (await world.sql`select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`)
    .length > 0;
const attempts = async (workspaceId: WorkspaceId) =>
  (await world.sql`select 1 from attempts where workspace_id = ${workspaceId}`).length;
const aRecord = () => randomUUID() as RecordId;
const seen = ({ received }: { readonly received: readonly Received[] }) =>
  received.map(({ headers }) => headers["webhook-id"]);

async function delivered(workspaceId: WorkspaceId): Promise<readonly string[]> {
  const rows = await world.sql<{ uid: string }[]>`
    select tenant_uid as uid from deliveries where workspace_id = ${workspaceId} and status = 'delivered'`;
  return rows.map(({ uid }) => uid);
}
