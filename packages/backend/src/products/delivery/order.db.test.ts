import { decodeId, type DeliveryId, type EndpointId, type RecordId, type WorkspaceId } from "@patchbay/shared";
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { waitFor } from "../../../../../test/harness/wait-for.ts";
import { anEvent, createWorld, type Answer, type World } from "../../../../../test/harness/delivery-world.ts";

let world: World;
beforeAll(async () => {
  world = await createWorld();
  world.start();
});
afterAll(() => world.close());

test("a later event of a record waits for the earlier one; other records go on", async () => {
  const { workspaceId, versions } = await anEndpoint({ answers: [500, 200] });
  await world.append([version(workspaceId, one, 1)]);
  await statuses(workspaceId, { [`${one} 1`]: "pending" });
  await world.append([version(workspaceId, one, 2), version(workspaceId, two, 1)]);
  await statuses(workspaceId, { [`${one} 1`]: "pending", [`${one} 2`]: "waiting", [`${two} 1`]: "delivered" });
  world.pass(6_000);
  await statuses(workspaceId, { [`${one} 1`]: "delivered", [`${one} 2`]: "delivered", [`${two} 1`]: "delivered" });
  expect(await versions()).toEqual([`${one} 1`, `${two} 1`, `${one} 1`, `${one} 2`]);
});

test("a dead letter holds the later ones back, visibly, until it is retried; then they follow in order", async () => {
  const { workspaceId, endpointId, versions } = await anEndpoint({ answers: [500, 200] });
  await world.append([version(workspaceId, one, 1)]);
  await tried(workspaceId, 1);
  await world.sql`update deliveries set status = 'failed', next_attempt_at = null where endpoint_id = ${endpointId}`;
  await world.append([2, 3, 4].map((number) => version(workspaceId, one, number)));
  const waits = [2, 3, 4].map((number) => [`${one} ${number}`, "waiting"]);
  await statuses(workspaceId, Object.fromEntries([[`${one} 1`, "failed"], ...waits]));
  const { data } = await world.delivery.listDeliveries({ workspaceId, limit: 10, status: "waiting" });
  expect(data).toHaveLength(3);
  const later = world.delivery.retryDelivery({ workspaceId, deliveryId: idOf(data[0]?.id) });
  await expect(later).rejects.toMatchObject({ code: "conflict" });

  const [dead] = (await world.delivery.listDeadLetters({ workspaceId, limit: 1 })).data;
  await world.delivery.retryDelivery({ workspaceId, deliveryId: idOf(dead?.id) });
  await waitFor(async () => (await versions()).length === 5, { what: "all of them" });
  expect((await versions()).slice(1)).toEqual([1, 2, 3, 4].map((number) => `${one} ${number}`));
});

test("draining dead letters keeps the order too", async () => {
  const { workspaceId, endpointId, versions } = await anEndpoint({ answers: [200] });
  await world.append([1, 2, 3].map((number) => version(workspaceId, one, number)));
  await tried(workspaceId, 3);
  await world.sql`update deliveries set status = 'failed' where endpoint_id = ${endpointId}`;
  await world.delivery.replays.start({ workspaceId, endpointId, only: "failed" });
  await waitFor(async () => (await versions()).length === 6, { what: "all of them again" });
  expect((await versions()).slice(3)).toEqual([1, 2, 3].map((number) => `${one} ${number}`));
});

test("without an order asked for, later ones pass; turning it off sends what waits", async () => {
  const { workspaceId, endpointId } = await anEndpoint({ answers: [500, 200] });
  await world.append([version(workspaceId, one, 1)]);
  await tried(workspaceId, 1);
  await world.append([version(workspaceId, one, 2)]);
  await statuses(workspaceId, { [`${one} 1`]: "pending", [`${one} 2`]: "waiting" });
  await world.delivery.endpoints.update({ workspaceId, endpointId, body: { order: "none" } });
  await statuses(workspaceId, { [`${one} 1`]: "pending", [`${one} 2`]: "delivered" });
});

const [one, two] = [randomUUID(), randomUUID()].toSorted();

function version(workspaceId: WorkspaceId, record: string | undefined, number: number) {
  const id = (record ?? "") as RecordId;
  return anEvent(workspaceId, { type: "order.updated", record: { id, model: "order", version: number } });
}

async function anEndpoint({ answers }: { readonly answers: readonly Answer[] }) {
  const workspaceId = await world.aWorkspace();
  const receiver = await world.aReceiver(...answers);
  const { id } = await world.delivery.endpoints.create({
    workspaceId,
    body: { url: receiver.url, order: "perRecord" },
  });
  const endpointId = decodeId("we", id) as EndpointId;
  /** What was received, as record and version. */
  const versions = async () => {
    const ids = receiver.received.map(({ headers }) => decodeId("evt", String(headers["webhook-id"])));
    const rows = await world.sql<{ id: string; name: string }[]>`
      select id, record_id || ' ' || record_version as name from events where workspace_id = ${workspaceId}`;
    const names = new Map(rows.map(({ id, name }) => [id, name]));
    return ids.map((id) => names.get(id ?? ""));
  };
  return { workspaceId, endpointId, receiver, versions };
}

async function statuses(workspaceId: WorkspaceId, expected: Readonly<Record<string, string>>): Promise<void> {
  await waitFor(
    async () => {
      const rows = await world.sql<{ name: string; status: string }[]>`
        select e.record_id || ' ' || e.record_version as name, d.status from deliveries d join events e on e.id = d.event_id
        where d.workspace_id = ${workspaceId}`;
      expect(Object.fromEntries(rows.map(({ name, status }) => [name, status]))).toEqual(expected);
      return true;
    },
    { what: "the deliveries" },
  );
}

/** Once so many deliveries have an attempt on record. */
async function tried(workspaceId: WorkspaceId, deliveries: number): Promise<void> {
  await waitFor(
    async () => {
      const rows = await world.sql`select 1 from deliveries where workspace_id = ${workspaceId} and attempts > 0`;
      return rows.length === deliveries;
    },
    { what: "the attempts" },
  );
}

function idOf(text: string | undefined): DeliveryId {
  return decodeId("dlv", text ?? "") as DeliveryId;
}
