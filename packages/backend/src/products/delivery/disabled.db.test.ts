import { decodeId, encodeId, type EndpointId, type WorkspaceId } from "@patchbay/shared";
import { afterAll, beforeAll, expect, test } from "vitest";
import { anEvent, createWorld, type Answer, type World } from "../../../../../test/harness/delivery-world.ts";
import { waitFor } from "../../../../../test/harness/wait-for.ts";

const DAY = 24 * 3_600_000;

let world: World;
beforeAll(async () => {
  world = await createWorld();
  world.start();
});
afterAll(() => world.close());

test("an endpoint that answers 410 to several tenants at once is disabled in the audit log once", async () => {
  const both = Promise.withResolvers<void>();
  const { workspaceId, endpointId, receiver } = await anEndpoint({ status: 410, before: () => both.promise });
  for (const id of ["one", "two"]) {
    const { uid } = await world.aTenant(workspaceId, id);
    await world.append([anEvent(workspaceId, { tenantUid: uid, tenantExternalId: id })]);
  }
  await waitFor(() => receiver.received.length === 2, { what: "both requests" });
  both.resolve();
  await held(workspaceId, 2);
  expect(await systemActs(workspaceId)).toEqual([disabledAct(endpointId, "gone")]);
});

test("one that fails for five days is disabled in the audit log; what the host does is not the product's act", async () => {
  const { workspaceId, endpointId } = await anEndpoint(500);
  await world.append([anEvent(workspaceId)]);
  await waitFor(async () => (await deliveriesOf(workspaceId)).some(({ attempts }) => attempts === 1));
  world.pass(5 * DAY);
  await held(workspaceId, 1);
  for (const status of ["enabled", "disabled"] as const) {
    await world.delivery.endpoints.update({ workspaceId, endpointId, body: { status } });
  }
  expect(await systemActs(workspaceId)).toEqual([disabledAct(endpointId, "failing")]);
});

async function anEndpoint(...answers: readonly Answer[]) {
  const workspaceId = await world.aWorkspace();
  const receiver = await world.aReceiver(...answers);
  const { id } = await world.delivery.endpoints.create({ workspaceId, body: { url: receiver.url } });
  return { workspaceId, receiver, endpointId: decodeId("we", id) as EndpointId };
}

async function deliveriesOf(workspaceId: WorkspaceId) {
  return (await world.delivery.listDeliveries({ workspaceId, limit: 100 })).data;
}

/** Waits until so many of what was tried are held; the news of it is held as well, untried. */
async function held(workspaceId: WorkspaceId, count: number): Promise<void> {
  const tried = async () => (await deliveriesOf(workspaceId)).filter(({ attempts }) => attempts > 0);
  await waitFor(async () => (await tried()).filter(({ status }) => status === "held").length === count);
}

async function systemActs(workspaceId: WorkspaceId) {
  const rows = await world.sql`select action, target_type, target_id, details from audit_entries
    where workspace_id = ${workspaceId} and actor_kind = 'system' order by sequence`;
  return [...rows];
}

function disabledAct(endpointId: EndpointId, reason: string) {
  const target_id = encodeId("we", endpointId);
  return { action: "webhook_endpoint.disabled", target_type: "webhook_endpoint", target_id, details: { reason } };
}
