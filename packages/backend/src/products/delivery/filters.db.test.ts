import { decodeId, type EndpointId, type WorkspaceId } from "@patchbay/shared";
import { afterAll, beforeAll, expect, test } from "vitest";
import { aConnection } from "../../../../../test/harness/builders.ts";
import { anEvent, createWorld, type World } from "../../../../../test/harness/delivery-world.ts";
import { forgetTenantEvents } from "./forget-tenant.ts";
import { sequenceBatch } from "./sequence-batch.ts";

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

test("an endpoint for some tenants gets their events alone, and nothing once they are erased", async () => {
  const { workspaceId, url, acme, umbrella } = await setUp();
  const endpoint = await world.delivery.endpoints.create({ workspaceId, body: { url, tenantIds: ["acme"] } });
  expect(endpoint.tenantIds).toEqual(["acme"]);
  const ofAcme = anEvent(workspaceId, { tenantUid: acme.uid, tenantExternalId: "acme" });
  const ofUmbrella = anEvent(workspaceId, { tenantUid: umbrella.uid, tenantExternalId: "umbrella" });
  for (const event of [ofAcme, ofUmbrella, anEvent(workspaceId)]) await world.append([event]);
  await sequenceBatch(world.deps, workspaceId);
  expect(await toldOf(workspaceId)).toEqual([acme.uid]);

  await world.deps.worker.withWorkspace(workspaceId, (tx) =>
    forgetTenantEvents(tx, { workspaceId, tenantUid: acme.uid }, 100),
  );
  const endpointId = idOf(endpoint.id);
  expect(await world.delivery.endpoints.get({ workspaceId, endpointId })).toMatchObject({ tenantIds: [] });
  await world.append([ofUmbrella]);
  await sequenceBatch(world.deps, workspaceId);
  expect(await toldOf(workspaceId)).toEqual([]);

  const all = await world.delivery.endpoints.update({ workspaceId, endpointId, body: { tenantIds: null } });
  expect(all.tenantIds).toBeNull();
  await world.append([ofUmbrella]);
  await sequenceBatch(world.deps, workspaceId);
  expect(await toldOf(workspaceId)).toEqual([umbrella.uid]);
});

test("an endpoint for some providers gets events of their connections alone", async () => {
  const { workspaceId, url, acme } = await setUp();
  await world.delivery.endpoints.create({ workspaceId, body: { url, providers: ["shopify"] } });
  for (const provider of ["shopify", "stripe"]) {
    const { connectionId: id, accountId } = await aConnection(world.sql, {
      workspaceId,
      tenantUid: acme.uid,
      provider,
    });
    const connection = { id, provider, accountId };
    await world.append([anEvent(workspaceId, { tenantUid: acme.uid, tenantExternalId: "acme", connection })]);
  }
  await world.append([anEvent(workspaceId)]);
  expect(await sequenceBatch(world.deps, workspaceId)).toEqual({ events: 3, deliveries: 1, more: false });
});

test("an endpoint cannot be for a tenant that is not there", async () => {
  const { workspaceId, url } = await setUp();
  const made = world.delivery.endpoints.create({ workspaceId, body: { url, tenantIds: ["nobody"] } });
  await expect(made).rejects.toMatchObject({ code: "tenant_not_found" });
});

async function setUp() {
  const workspaceId = await world.aWorkspace();
  const { url } = await world.aReceiver(200);
  const acme = await world.aTenant(workspaceId, "acme");
  const umbrella = await world.aTenant(workspaceId, "umbrella");
  return { workspaceId, url, acme, umbrella };
}

/** Whose events there are deliveries of. */
async function toldOf(workspaceId: WorkspaceId): Promise<string[]> {
  const rows = await world.sql<{ tenant_uid: string }[]>`
    select tenant_uid from deliveries where workspace_id = ${workspaceId} order by position`;
  return rows.map((row) => row.tenant_uid);
}

function idOf(text: string): EndpointId {
  const id = decodeId("we", text);
  if (id === null) throw new Error(`${text} is no endpoint`);
  return id;
}
