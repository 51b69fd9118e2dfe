import { decodeId, type DeliveryId, type EndpointId, type PatchbayEvent, type WorkspaceId } from "@patchbay/shared";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buryTenant } from "../../domain/workspaces/index.ts";
import { forgetTenantEvents } from "./forget-tenant.ts";
import { waitFor } from "../../../../../test/harness/wait-for.ts";
import {
  anEvent,
  createWorld,
  type Answer,
  type Received,
  type World,
} from "../../../../../test/harness/delivery-world.ts";

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;

let world: World;
beforeAll(async () => {
  world = await createWorld();
  world.start();
});
afterAll(() => world.close());

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

  test("leaves a gap in the feed, over which cursors from before go on", async () => {
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

describe("an endpoint", () => {
  test("that answers 410 is disabled, keeps what it did not take, and the host is told", async () => {
    const { workspaceId, endpointId } = await anEndpoint(410);
    await world.append([anEvent(workspaceId)]);
    await settled(workspaceId, "held");
    expect(await world.delivery.endpoints.get({ workspaceId, endpointId })).toMatchObject({
      status: "disabled",
      disabledReason: "gone",
    });
    await toldOf(workspaceId, ["run.completed", "endpoint.disabled"]);
  });

  test("that fails ten times in a row gets no more attempts until a probe succeeds, and the host is told twice", async () => {
    const fails = Array.from({ length: 11 }, (): Answer => 500);
    const { workspaceId, receiver } = await anEndpoint(...fails, 200);
    await world.append(Array.from({ length: 15 }, () => anEvent(workspaceId)));
    await toldOf(workspaceId, [...Array<string>(15).fill("run.completed"), "endpoint.failing"]);
    expect(receiver.received).toHaveLength(10);
    world.pass(31 * SECOND);
    await requests(receiver, 11);
    await waitFor(async () =>
      (await list(workspaceId)).every(
        ({ nextAttemptAt }) => Date.parse(nextAttemptAt ?? "") > world.clock.now().getTime(),
      ),
    );
    expect(receiver.received).toHaveLength(11);
    await passUntilDelivered(workspaceId);
    const told = (await feed(workspaceId)).filter(({ type }) => type.startsWith("endpoint."));
    expect(told.map(({ type }) => type)).toEqual(["endpoint.failing", "endpoint.recovered"]);
  });

  test("that fails for five days is disabled, and what it missed is held", async () => {
    const { workspaceId, endpointId } = await anEndpoint(500);
    await world.append([anEvent(workspaceId)]);
    await attempted(workspaceId, 1);
    world.pass(5 * 24 * HOUR);
    await settled(workspaceId, "held");
    expect(await world.delivery.endpoints.get({ workspaceId, endpointId })).toMatchObject({
      disabledReason: "failing",
    });
    await toldOf(workspaceId, ["run.completed", "endpoint.disabled"]);
  });

  test("is signed for with the old and the new secret until the grace is over", async () => {
    const { workspaceId, endpointId, receiver, secret } = await anEndpoint(200);
    const rotated = await world.delivery.endpoints.rotateSecret({ workspaceId, endpointId });
    await world.append([anEvent(workspaceId)]);
    const [during] = await requests(receiver, 1);
    expect(verified(during, rotated.secret)).toEqual(verified(during, secret));
    expect(String(during?.headers["webhook-signature"]).split(" ")).toHaveLength(2);
    world.pass(25 * HOUR);
    await world.append([anEvent(workspaceId)]);
    const [, after] = await requests(receiver, 2);
    expect(() => signedBy(after, secret)).toThrow("No matching signature");
    expect(signedBy(after, rotated.secret)).toBe(true);
  });

  test("gets its test event alone, even while it is left alone", async () => {
    const { workspaceId, endpointId, receiver, secret } = await anEndpoint(200);
    const other = await world.aReceiver(200);
    await world.delivery.endpoints.create({ workspaceId, body: { url: other.url } });
    await world.sql`update endpoints set open_until = now() + interval '1 year' where id = ${endpointId}`;
    const sent = await world.delivery.endpoints.sendTest({ workspaceId, endpointId });
    const [request] = await requests(receiver, 1);
    expect(verified(request, secret)).toMatchObject({ id: sent.eventId, type: "endpoint.test" });
    await settled(workspaceId, "delivered", sent.id);
    await toldOf(workspaceId, ["endpoint.test"]);
    expect(other.received).toHaveLength(0);
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

async function anEndpoint(...answers: readonly Answer[]) {
  const workspaceId = await world.aWorkspace();
  const receiver = await world.aReceiver(...answers);
  const endpoint = await world.delivery.endpoints.create({ workspaceId, body: { url: receiver.url } });
  const endpointId = decodeId("we", endpoint.id);
  if (endpointId === null) throw new Error("an endpoint without an id");
  return { workspaceId, receiver, endpointId, secret: endpoint.secret };
}

function requests(receiver: { readonly received: readonly Received[] }, count: number): Promise<readonly Received[]> {
  return waitFor(() => (receiver.received.length >= count ? receiver.received : null), { what: `request ${count}` });
}

async function list(workspaceId: WorkspaceId) {
  return (await world.delivery.listDeliveries({ workspaceId, limit: 100 })).data;
}

/** The first delivery, or the one with this id, once it has a status. */
function settled(workspaceId: WorkspaceId, status: string, id?: string) {
  return waitFor(
    async () =>
      (await list(workspaceId)).findLast(
        (delivery) => delivery.status === status && (id ?? delivery.id) === delivery.id,
      ),
    { what: `a ${status} delivery` },
  );
}

/** The first delivery once so many attempts of it are written down. */
function attempted(workspaceId: WorkspaceId, attempts: number) {
  return waitFor(async () => (await list(workspaceId)).find((delivery) => delivery.attempts === attempts), {
    what: `attempt ${attempts}`,
  });
}

/** Moves the clock from one due delivery to the next, never while one is under way. */
async function passUntilDelivered(workspaceId: WorkspaceId): Promise<void> {
  await waitFor(async () => {
    const open = (await list(workspaceId)).filter(({ status }) => status === "pending");
    if (open.length === 0) return true;
    const waits = open.map(({ nextAttemptAt }) => Date.parse(nextAttemptAt ?? "") - world.clock.now().getTime());
    if (Math.min(...waits) > 0) world.pass(Math.max(...waits));
    return false;
  });
}

async function feed(workspaceId: WorkspaceId): Promise<readonly PatchbayEvent[]> {
  return (await world.delivery.feed.listEvents({ workspaceId, from: "start", limit: 100 })).data;
}

async function toldOf(workspaceId: WorkspaceId, types: readonly string[]): Promise<void> {
  await waitFor(async () => (await feed(workspaceId)).length >= types.length, { what: types.join(", ") });
  expect((await feed(workspaceId)).map(({ type }) => type)).toEqual(types);
}

async function items(endpointId: EndpointId): Promise<number> {
  const rows = await world.sql`select 1 from queue.items where lane_id = ${endpointId}`;
  return rows.length;
}

function verified(request: Received | undefined, secret: string): PatchbayEvent {
  if (request === undefined) throw new Error("no request");
  // The library checks the clock of this machine, which is ahead of or behind the tests' clock.
  expect(signedBy(request, secret)).toBe(true);
  return JSON.parse(request.body) as PatchbayEvent;
}

/** By the reference library, told that it is the moment of the attempt. */
function signedBy(request: Received | undefined, secret: string): true {
  if (request === undefined) throw new Error("no request");
  const id = String(request.headers["webhook-id"]);
  const expected = new Webhook(secret).sign(id, sentAt(request), request.body);
  if (!String(request.headers["webhook-signature"]).split(" ").includes(expected))
    throw new Error("No matching signature");
  return true;
}

function sentAt(request: Received | undefined): Date {
  return new Date(Number(request?.headers["webhook-timestamp"]) * 1000);
}

function idOf(text: string): DeliveryId {
  const id = decodeId("dlv", text);
  if (id === null) throw new Error("no delivery id");
  return id;
}
