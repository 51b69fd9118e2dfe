import { encodeId, type EventId, type WorkspaceId } from "@patchbay/shared";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { waitFor } from "../../../../../test/harness/wait-for.ts";
import { anEvent, createWorld, type World } from "../../../../../test/harness/delivery-world.ts";
import { createLaneWorker } from "../../platform/lanes/index.ts";

let world: World;
beforeAll(async () => {
  world = await createWorld();
  world.start();
});
afterAll(() => world.close());

test("an endpoint has no more requests under way than it allows, whoever works its lanes", async () => {
  const workspaceId = await world.aWorkspace();
  let [underWay, most] = [0, 0];
  const before = async () => {
    most = Math.max(most, ++underWay);
    await delay(20);
    underWay--;
  };
  const receiver = await world.aReceiver({ status: 200, before });
  await world.delivery.endpoints.create({ workspaceId, body: { url: receiver.url, maxInFlight: 2 } });
  const second = createLaneWorker({
    ...world.deps,
    database: world.deps.worker,
    kind: "delivery",
    handle: world.delivery.handleLane,
    lanesMax: 4,
    itemsPerLane: 5,
  });
  second.start();
  for (let tenant = 0; tenant < 6; tenant++) await fromTenant(workspaceId, `t${tenant}`, 3);
  await waitFor(async () => receiver.received.length === 18, { what: "all of them" });
  await second.stop();
  expect(most).toBe(2);
});

test("an endpoint gets requests no faster than it allows, and in order", async () => {
  const workspaceId = await world.aWorkspace();
  const times: number[] = [];
  const receiver = await world.aReceiver({ status: 200, before: async () => void times.push(performance.now()) });
  await world.delivery.endpoints.create({ workspaceId, body: { url: receiver.url, ratePerSecond: 10 } });
  await fromTenant(workspaceId, "acme", 6);
  await waitFor(async () => receiver.received.length === 6, { what: "all of them" });
  const [first = 0, last = 0] = [times[0], times.at(-1)];
  // Five gaps of 100 ms, less what the first request was slower than the last.
  expect(last - first).toBeGreaterThan(300);
  const told = await world.sql<{ id: string }[]>`
    select id from events where workspace_id = ${workspaceId} order by position`;
  expect(receiver.received.map(({ headers }) => headers["webhook-id"])).toEqual(
    told.map(({ id }) => encodeId("evt", id as EventId)),
  );
  const rows = await world.sql`select 1 from attempts where workspace_id = ${workspaceId}`;
  expect(rows).toHaveLength(6);
});

async function fromTenant(workspaceId: WorkspaceId, id: string, events: number): Promise<void> {
  const { uid: tenantUid } = await world.aTenant(workspaceId, id);
  const each = Array.from({ length: events }, () => anEvent(workspaceId, { tenantUid, tenantExternalId: id }));
  await world.append(each);
}
