import { type PatchbayEvent } from "@patchbay/shared";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buryTenant } from "../../domain/workspaces/index.ts";
import { forgetTenantEvents } from "./forget-tenant.ts";
import { anEvent, createWorld, type World } from "../../../../../test/harness/delivery-world.ts";
import { deliveriesOf } from "../../../../../test/harness/deliveries-of.ts";
import { waitFor } from "../../../../../test/harness/wait-for.ts";

const SECOND = 1_000;

let world: World;
beforeAll(async () => {
  world = await createWorld();
  world.start();
});
afterAll(() => world.close());

const { anEndpoint, list, items } = deliveriesOf(() => world);

describe("a tenant that is erased", () => {
  test("while a delivery is on its way is not told of by those that were opened with it", async () => {
    let erase = async () => {};
    const { workspaceId, endpointId, receiver } = await anEndpoint({ status: 200, before: () => erase() });
    const tenant = await world.aTenant(workspaceId, "acme");
    erase = () =>
      world.deps.app.withWorkspace(workspaceId, async (tx) => {
        await buryTenant(tx, { workspaceId, id: "acme", now: world.clock.now() }).catch(() => {});
        await world.deps.vault.destroyKeys(tx, { workspaceId, tenantUid: tenant.uid });
      });
    const event = anEvent(workspaceId, { tenantUid: tenant.uid, tenantExternalId: "acme" });
    await world.append([event, event, event]);
    await waitFor(async () => {
      world.pass(SECOND);
      return (await items(endpointId)) === 0 && receiver.received.length > 0;
    });
    expect(receiver.received).toHaveLength(1);
    expect((await list(workspaceId)).map(({ status, tenantId }) => [status, tenantId])).toEqual([["delivered", null]]);
  });

  test("leaves a gap in the over which cursors from before go on", async () => {
    const { workspaceId } = await anEndpoint(200);
    const gone = await world.aTenant(workspaceId, "gone");
    const stays = await world.aTenant(workspaceId, "stays");
    for (const { uid, externalId } of [stays, gone, gone, stays]) {
      await world.append([anEvent(workspaceId, { tenantUid: uid, tenantExternalId: externalId })]);
    }
    const feed = (after?: string) =>
      world.delivery.feed.listEvents({
        workspaceId,
        from: "start",
        limit: 1,
        ...(after === undefined ? {} : { after }),
      });
    await waitFor(
      async () => (await world.delivery.feed.listEvents({ workspaceId, from: "start", limit: 9 })).data.length === 4,
    );
    const first = await feed();
    const inside = await feed((await feed(first.nextCursor)).nextCursor);
    const tenant = { workspaceId, tenantUid: gone.uid };
    const removed = await world.deps.worker.withWorkspace(workspaceId, (tx) => forgetTenantEvents(tx, tenant, 10));
    expect(removed).toMatchObject({ events: 2, deliveries: 2 });
    await world.append([anEvent(workspaceId, { tenantUid: stays.uid, tenantExternalId: "stays" })]);
    for (const cursor of [first.nextCursor, inside.nextCursor]) {
      const rest: PatchbayEvent[] = [];
      await waitFor(async () => {
        rest.length = 0;
        for (let page = await feed(cursor); ; page = await feed(page.nextCursor)) {
          rest.push(...page.data);
          if (!page.hasMore) return rest.length === 2;
        }
      });
      expect(rest.map((event) => event.tenantId)).toEqual(["stays", "stays"]);
    }
    expect(await world.deps.worker.withWorkspace(workspaceId, (tx) => forgetTenantEvents(tx, tenant, 10))).toEqual({});
  });
});
