import { decodeId, encodeId, type EventId, type WorkspaceId } from "@patchbay/shared";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodeFeedCursor } from "./cursor.ts";
import { sequenceBatch } from "./sequence-batch.ts";
import { anEvent, createWorld, type World } from "../../../../../test/harness/delivery-world.ts";

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

describe("listEvents", () => {
  test("pages through everything once, and goes on from the last cursor when more comes", async () => {
    const workspaceId = await aFeed(5);
    const seen: unknown[] = [];
    let after: string | undefined;
    for (let page = 0; page < 3; page++) {
      const { data, nextCursor, hasMore } = await read(workspaceId, { after, limit: 2 });
      seen.push(...data.map((event) => event.data));
      after = nextCursor;
      expect(hasMore).toBe(page < 2);
    }
    expect(seen).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }, { n: 4 }, { n: 5 }]);
    expect(await read(workspaceId, { after })).toMatchObject({ data: [], hasMore: false, nextCursor: after });
    await grow(workspaceId, { n: 6 });
    expect(await read(workspaceId, { after })).toMatchObject({ data: [{ data: { n: 6 } }] });
  });

  test("begins behind the newest event when asked to", async () => {
    const workspaceId = await aFeed(2);
    const { data, nextCursor } = await read(workspaceId, { from: "latest" });
    expect(data).toEqual([]);
    await grow(workspaceId, { n: 3 });
    expect((await read(workspaceId, { after: nextCursor })).data).toMatchObject([{ data: { n: 3 } }]);
  });

  test("shows nothing that has no position yet", async () => {
    const workspaceId = await aFeed(1);
    await world.append([anEvent(workspaceId)]);
    expect((await read(workspaceId, {})).data).toHaveLength(1);
  });

  test("filters by type and tenant, and moves on over what does not match", async () => {
    const workspaceId = await aFeed(3);
    const tenant = await world.aTenant(workspaceId, "acme");
    await world.append([
      anEvent(workspaceId, { tenantUid: tenant.uid, tenantExternalId: "acme", type: "run.failed", data: { n: 4 } }),
    ]);
    await sequenceBatch(world.deps, workspaceId);
    const byType = await read(workspaceId, { type: "run.failed" });
    expect(byType).toMatchObject({ data: [{ tenantId: "acme", data: { n: 4 } }], hasMore: false });
    expect((await read(workspaceId, { tenantId: "acme" })).data).toEqual(byType.data);
    expect(await read(workspaceId, { type: "no.such" })).toMatchObject({ data: [], nextCursor: byType.nextCursor });
    await expect(read(workspaceId, { tenantId: "nobody" })).rejects.toMatchObject({ code: "tenant_not_found" });
  });

  test("leaves out events of an erased tenant", async () => {
    const workspaceId = await aFeed(1);
    const tenant = await world.aTenant(workspaceId, "acme");
    const [eventId] = await world.append([anEvent(workspaceId, { tenantUid: tenant.uid, tenantExternalId: "acme" })]);
    await sequenceBatch(world.deps, workspaceId);
    await world.deps.app.withWorkspace(workspaceId, (tx) =>
      world.deps.vault.destroyKeys(tx, { workspaceId, tenantUid: tenant.uid }),
    );
    expect(await read(workspaceId, {})).toMatchObject({ data: [{ data: { n: 1 } }], hasMore: false });
    await expect(world.delivery.feed.getEvent({ workspaceId, eventId: eventId as EventId })).rejects.toMatchObject({
      code: "event_not_found",
    });
  });

  test.each([
    ["is no cursor", () => "bm90IGEgY3Vyc29y"],
    [
      "is another workspace's",
      (_: WorkspaceId, other: WorkspaceId) => encodeFeedCursor(other, { epoch: 1, position: 1 }),
    ],
    ["is ahead of the feed", (own: WorkspaceId) => encodeFeedCursor(own, { epoch: 1, position: 99 })],
  ])("refuses a cursor that %s", async (_what, cursor) => {
    const [workspaceId, other] = [await aFeed(1), await aFeed(1)];
    await expect(read(workspaceId, { after: cursor(workspaceId, other) })).rejects.toMatchObject({
      code: "invalid_cursor",
    });
  });

  test("says how to go on when the database was restored since", async () => {
    const workspaceId = await aFeed(1);
    const { nextCursor } = await read(workspaceId, {});
    await world.sql`update event_heads set epoch = epoch + 1 where workspace_id = ${workspaceId}`;
    await expect(read(workspaceId, { after: nextCursor })).rejects.toThrow("from=start");
  });
});

test("getEvent gives what was sent", async () => {
  const workspaceId = await aFeed(1);
  const { data } = await read(workspaceId, {});
  const eventId = decodeId("evt", data[0]?.id ?? "");
  if (eventId === null) throw new Error("no event");
  expect(await world.delivery.feed.getEvent({ workspaceId, eventId })).toEqual(data[0]);
  expect(data[0]?.id).toBe(encodeId("evt", eventId));
});

describe("followEvents", () => {
  test("gives what is there, then each event as it comes, although another process sequenced it", async () => {
    const workspaceId = await aFeed(3);
    const stop = new AbortController();
    const followed = await follow(workspaceId, { signal: stop.signal });
    const seen: unknown[] = [];
    for await (const { event } of followed) {
      if (event === null) continue;
      seen.push(event.data);
      if (seen.length === 3) await grow(workspaceId, { n: 4 });
      if (seen.length === 4) stop.abort();
    }
    expect(seen).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }, { n: 4 }]);
  });

  test("goes on behind each event's own cursor", async () => {
    const workspaceId = await aFeed(3);
    const stop = new AbortController();
    const first = (await (await follow(workspaceId, { signal: stop.signal })).next()).value;
    const second = (await (await follow(workspaceId, { signal: stop.signal, after: first?.cursor })).next()).value;
    stop.abort();
    expect([first?.event?.data, second?.event?.data]).toEqual([{ n: 1 }, { n: 2 }]);
  });

  test("tells pauses, with a cursor that leads behind what was filtered away", async () => {
    const workspaceId = await aFeed(2);
    const stop = new AbortController();
    const followed = await follow(workspaceId, { signal: stop.signal, type: "order.deleted", pauseMs: 10 });
    const pause = (await followed.next()).value;
    stop.abort();
    expect(pause?.event).toBeNull();
    expect((await read(workspaceId, { after: pause?.cursor })).data).toEqual([]);
  });

  test("ends when told to, in the middle of a wait", async () => {
    const workspaceId = await aFeed(0);
    const stop = new AbortController();
    const next = (await follow(workspaceId, { signal: stop.signal })).next();
    stop.abort();
    expect(await next).toEqual({ done: true, value: undefined });
  });

  test("refuses a wrong cursor before anything is streamed", async () => {
    const workspaceId = await aFeed(1);
    await expect(follow(workspaceId, { signal: AbortSignal.abort(), after: "x" })).rejects.toThrow("cursor");
  });
});

/** A workspace whose feed holds this many events, each with its number. */
async function aFeed(count: number): Promise<WorkspaceId> {
  const workspaceId = await world.aWorkspace();
  for (let n = 1; n <= count; n++) await grow(workspaceId, { n });
  return workspaceId;
}

async function grow(workspaceId: WorkspaceId, data: Readonly<Record<string, unknown>>): Promise<void> {
  await world.append([anEvent(workspaceId, { data })]);
  await sequenceBatch(world.deps, workspaceId);
}

type Asked = Partial<Parameters<World["delivery"]["feed"]["listEvents"]>[0]>;

function read(workspaceId: WorkspaceId, asked: Asked) {
  return world.delivery.feed.listEvents({ workspaceId, from: "start", limit: 50, ...asked });
}

type Followed = Parameters<World["delivery"]["feed"]["followEvents"]>[0];

function follow(workspaceId: WorkspaceId, asked: Partial<Followed> & Pick<Followed, "signal">) {
  return world.delivery.feed.followEvents({ workspaceId, from: "start", pauseMs: 10_000, ...asked });
}
