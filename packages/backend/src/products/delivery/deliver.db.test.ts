import { decodeId, type DeliveryId, type EndpointId, type PatchbayEvent } from "@patchbay/shared";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { anEvent, createWorld, type Answer, type World } from "../../../../../test/harness/delivery-world.ts";
import { deliveriesOf, sentAt, verified } from "../../../../../test/harness/deliveries-of.ts";
import { waitFor } from "../../../../../test/harness/wait-for.ts";

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;

let world: World;
beforeAll(async () => {
  world = await createWorld();
  world.start();
});
afterAll(() => world.close());

const { anEndpoint, requests, list, settled, attempted, feed, items } = deliveriesOf(() => world);

describe("an attempt", () => {
  test("brings the exact bytes, signed so that the reference library verifies them", async () => {
    const { workspaceId, receiver, secret } = await anEndpoint(200);
    await world.append([anEvent(workspaceId, { data: { note: "café ☕ 900719925474099312" } })]);
    const [request] = await requests(receiver, 1);
    const event = verified(request, secret);
    expect(event).toMatchObject({ type: "run.completed", data: { note: "café ☕ 900719925474099312" } });
    expect(request?.headers).toMatchObject({ "webhook-id": event.id, "content-type": "application/json" });
    const done = await settled(workspaceId, "delivered");
    expect(done).toMatchObject({ attempts: 1, nextAttemptAt: null, eventId: event.id });
  });

  test("that fails is repeated after 5 s under the same id, signed anew", async () => {
    const { workspaceId, receiver, secret, endpointId } = await anEndpoint({ status: 500, body: "no\0pe" }, 204);
    await world.append([anEvent(workspaceId)]);
    await attempted(workspaceId, 1);
    world.pass(6 * SECOND);
    const [first, second] = await requests(receiver, 2);
    expect(second?.headers["webhook-id"]).toBe(first?.headers["webhook-id"]);
    expect(second?.headers["webhook-signature"]).not.toBe(first?.headers["webhook-signature"]);
    expect(new Webhook(secret).sign(String(second?.headers["webhook-id"]), sentAt(second), second?.body ?? "")).toBe(
      second?.headers["webhook-signature"],
    );
    await settled(workspaceId, "delivered");
    const { data } = await world.delivery.listAttempts({ workspaceId, endpointId, limit: 10 });
    expect(
      data.map(({ number, statusCode, problem, responseBody }) => [number, statusCode, problem, responseBody]),
    ).toEqual([
      [2, 204, null, null],
      [1, 500, "status", "no\u{fffd}pe"],
    ]);
  });

  test.each<[string, Answer, string, number | null]>([
    ["a redirect, which is not followed", { status: 302, headers: { location: "/elsewhere" } }, "redirect", 302],
    ["an answer that never ends", { status: 200, before: () => new Promise(() => {}) }, "timeout", null],
    ["a refusal", 404, "status", 404],
  ])("fails on %s", async (_what, answer, problem, statusCode) => {
    const { workspaceId, endpointId, receiver } = await anEndpoint(answer);
    await world.append([anEvent(workspaceId)]);
    await attempted(workspaceId, 1);
    const { data } = await world.delivery.listAttempts({ workspaceId, endpointId, limit: 10 });
    expect(data).toEqual([expect.objectContaining({ problem, statusCode, number: 1 })]);
    expect(receiver.received).toHaveLength(1);
  });

  test("fails when nobody listens", async () => {
    const { workspaceId, endpointId, receiver } = await anEndpoint(200);
    await receiver.close();
    await world.append([anEvent(workspaceId)]);
    await attempted(workspaceId, 1);
    const { data } = await world.delivery.listAttempts({ workspaceId, endpointId, limit: 10 });
    expect(data).toEqual([expect.objectContaining({ problem: "connection_refused", statusCode: null })]);
  });

  test("waits at least as long as the receiver asks", async () => {
    const { workspaceId } = await anEndpoint({ status: 500, headers: { "retry-after": "3600" } });
    const before = world.clock.now().getTime();
    await world.append([anEvent(workspaceId)]);
    const delivery = await attempted(workspaceId, 1);
    expect(Date.parse(delivery.nextAttemptAt ?? "")).toBeGreaterThanOrEqual(before + HOUR);
  });

  test("writes nothing when the lane went to another worker meanwhile", async () => {
    const lane: { id?: EndpointId } = {};
    const steal = async () => {
      await world.sql`update queue.lanes set lease_token = gen_random_uuid() where lane_id = ${lane.id ?? null}`;
    };
    const { workspaceId, endpointId, receiver } = await anEndpoint({ status: 200, before: steal }, 200);
    lane.id = endpointId;
    await world.append([anEvent(workspaceId)]);
    await requests(receiver, 1);
    // The thief dies without a word: the lane is free when its lease is over.
    await world.sql`update queue.lanes set lease_until = now() - interval '1 second' where lane_id = ${endpointId}`;
    const [first, second] = await requests(receiver, 2);
    expect(second?.headers["webhook-id"]).toBe(first?.headers["webhook-id"]);
    await settled(workspaceId, "delivered");
    const { data } = await world.delivery.listAttempts({ workspaceId, endpointId, limit: 10 });
    expect(data).toHaveLength(1);
    expect(await waitFor(async () => (await items(endpointId)) === 0)).toBe(true);
  });
});

describe("a delivery", () => {
  test("is a dead letter after ten attempts, and a manual retry begins anew", async () => {
    const fails = Array.from({ length: 10 }, (): Answer => 500);
    const { workspaceId, endpointId } = await anEndpoint(...fails, 200);
    await world.append([anEvent(workspaceId)]);
    for (let made = 1; made < 10; made++) {
      const { nextAttemptAt } = await attempted(workspaceId, made);
      world.pass(Date.parse(nextAttemptAt ?? "") - world.clock.now().getTime());
    }
    const dead = await settled(workspaceId, "failed");
    expect(dead.attempts).toBe(10);
    expect(await world.delivery.listDeadLetters({ workspaceId, limit: 10 })).toMatchObject({ data: [{ id: dead.id }] });

    const retried = await world.delivery.retryDelivery({ workspaceId, deliveryId: idOf(dead.id) });
    expect(retried).toMatchObject({ status: "pending", attempts: 10 });
    const done = await settled(workspaceId, "delivered", dead.id);
    expect(done.attempts).toBe(11);
    const { data } = await world.delivery.listAttempts({
      workspaceId,
      endpointId,
      deliveryId: idOf(dead.id),
      limit: 1,
    });
    expect(data).toMatchObject([{ number: 11, statusCode: 200 }]);
  });

  test("can be sent again although it arrived", async () => {
    const { workspaceId, receiver } = await anEndpoint(200);
    await world.append([anEvent(workspaceId)]);
    const done = await settled(workspaceId, "delivered");
    await world.delivery.retryDelivery({ workspaceId, deliveryId: idOf(done.id) });
    const [first, second] = await requests(receiver, 2);
    expect(second?.headers["webhook-id"]).toBe(first?.headers["webhook-id"]);
  });

  test("waits while its endpoint is disabled, and arrives in order when it is enabled again", async () => {
    const { workspaceId, endpointId, receiver } = await anEndpoint(200);
    await world.delivery.endpoints.update({ workspaceId, endpointId, body: { status: "disabled" } });
    await world.append([anEvent(workspaceId, { data: { n: 1 } })]);
    await settled(workspaceId, "held");
    await world.append([anEvent(workspaceId, { data: { n: 2 } })]);
    await waitFor(async () => (await list(workspaceId)).length === 2);
    expect(receiver.received).toHaveLength(0);
    await world.delivery.endpoints.update({ workspaceId, endpointId, body: { status: "enabled" } });
    const bodies = (await requests(receiver, 2)).map(({ body }) => (JSON.parse(body) as PatchbayEvent).data);
    expect(bodies).toEqual([{ n: 1 }, { n: 2 }]);
  });

  test("is held when its endpoint is disabled between two attempts", async () => {
    const { workspaceId, endpointId, receiver } = await anEndpoint(500, 200);
    await world.append([anEvent(workspaceId)]);
    await attempted(workspaceId, 1);
    await world.delivery.endpoints.update({ workspaceId, endpointId, body: { status: "disabled" } });
    await settled(workspaceId, "held");
    world.pass(HOUR);
    await waitFor(async () => (await items(endpointId)) === 0, { what: "the stale item to end" });
    expect(receiver.received).toHaveLength(1);
    await world.delivery.endpoints.update({ workspaceId, endpointId, body: { status: "enabled" } });
    expect(await settled(workspaceId, "delivered")).toMatchObject({ attempts: 2 });
  });

  test("is dropped with its endpoint", async () => {
    const { workspaceId, endpointId } = await anEndpoint(500);
    await world.append([anEvent(workspaceId)]);
    await attempted(workspaceId, 1);
    await world.delivery.endpoints.delete({ workspaceId, endpointId });
    await waitFor(async () => (await list(workspaceId)).length === 0);
    world.pass(HOUR);
    await waitFor(async () => (await items(endpointId)) === 0);
    await expect(world.delivery.endpoints.get({ workspaceId, endpointId })).rejects.toMatchObject({
      code: "endpoint_not_found",
    });
  });

  test("is dropped when its tenant is erased", async () => {
    const { workspaceId, endpointId } = await anEndpoint(500);
    const tenant = await world.aTenant(workspaceId, "acme");
    await world.append([anEvent(workspaceId, { tenantUid: tenant.uid, tenantExternalId: "acme" })]);
    expect(await attempted(workspaceId, 1)).toMatchObject({ tenantId: "acme" });
    await world.deps.app.withWorkspace(workspaceId, (tx) =>
      world.deps.vault.destroyKeys(tx, { workspaceId, tenantUid: tenant.uid }),
    );
    world.pass(HOUR);
    await waitFor(async () => (await list(workspaceId)).length === 0 && (await items(endpointId)) === 0);
  });
});

test("another workspace sees no endpoint, delivery, attempt or event", async () => {
  const mine = await anEndpoint(200);
  await world.append([anEvent(mine.workspaceId)]);
  const delivery = await settled(mine.workspaceId, "delivered");
  const workspaceId = await world.aWorkspace();
  const { endpointId } = mine;
  const { delivery: module } = world;
  const input = { workspaceId, limit: 10 };
  expect((await module.endpoints.list(input)).data).toEqual([]);
  expect((await module.listDeliveries(input)).data).toEqual([]);
  expect((await module.listDeliveries({ ...input, endpointId })).data).toEqual([]);
  expect(await feed(workspaceId)).toEqual([]);
  const eventId = decodeId("evt", delivery.eventId);
  if (eventId === null) throw new Error("no event id");
  const refusals = [
    module.endpoints.get({ workspaceId, endpointId }),
    module.endpoints.update({ workspaceId, endpointId, body: { status: "disabled" } }),
    module.endpoints.delete({ workspaceId, endpointId }),
    module.endpoints.rotateSecret({ workspaceId, endpointId }),
    module.endpoints.sendTest({ workspaceId, endpointId }),
    module.listAttempts({ ...input, endpointId }),
    module.retryDelivery({ workspaceId, deliveryId: idOf(delivery.id) }),
    module.feed.getEvent({ workspaceId, eventId }),
  ];
  const outcomes = await Promise.allSettled(refusals);
  expect(outcomes.map((outcome) => (outcome.status === "rejected" ? outcome.reason.status : "allowed"))).toEqual(
    refusals.map(() => 404),
  );
});

function idOf(text: string): DeliveryId {
  const id = decodeId("dlv", text);
  if (id === null) throw new Error("no delivery id");
  return id;
}
