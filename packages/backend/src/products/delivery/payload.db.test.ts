import {
  EVENT_CATALOGUE,
  PatchbayEvent,
  type Order,
  type RecordChange,
  type RecordId,
  type WorkspaceId,
} from "@patchbay/shared";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { anEvent, createWorld, type Received, type World } from "../../../../../test/harness/delivery-world.ts";
import { waitFor } from "../../../../../test/harness/wait-for.ts";
import { newId } from "../../platform/runtime/index.ts";

let world: World;
beforeAll(async () => {
  world = await createWorld();
  world.start();
});
afterAll(() => world.close());

const { data: CHANGE } = EVENT_CATALOGUE["order.updated"].example;

describe("an endpoint", () => {
  test("gets the record, a thin one beside it which version changed, each signed as it was sent", async () => {
    const workspaceId = await world.aWorkspace();
    const [full, thin] = [await world.aReceiver(200), await world.aReceiver(500, 200)];
    const { secret: fullSecret } = await world.delivery.endpoints.create({ workspaceId, body: { url: full.url } });
    const { secret, payload } = await world.delivery.endpoints.create({
      workspaceId,
      body: { url: thin.url, payload: "thin" },
    });
    expect(payload).toBe("thin");
    await tellOf(workspaceId, CHANGE);

    expect(await first(full.received, fullSecret)).toMatchObject({ data: CHANGE });
    const told = await first(thin.received, secret);
    expect(told).toMatchObject({ data: { ...CHANGE, object: null, previous: {} } });
    world.pass(10_000);
    await waitFor(() => thin.received.length === 2, { what: "the retry" });
    expect(thin.received[1]?.body).toBe(thin.received[0]?.body);
  });

  test("gets what it asks for from the next attempt on", async () => {
    const workspaceId = await world.aWorkspace();
    const receiver = await world.aReceiver(200);
    const endpoint = await world.delivery.endpoints.create({ workspaceId, body: { url: receiver.url } });
    await patch(workspaceId, endpoint.id, "thin");
    await tellOf(workspaceId, CHANGE);
    expect(await first(receiver.received, endpoint.secret)).toMatchObject({ data: { object: null } });
  });
});

test("an event that would be larger than 256 KiB goes without its record and says so, to everybody", async () => {
  const workspaceId = await world.aWorkspace();
  const receiver = await world.aReceiver(200);
  const { secret } = await world.delivery.endpoints.create({ workspaceId, body: { url: receiver.url } });
  const order: Order = { ...EXAMPLE, note: "x".repeat(256 * 1024) };
  await tellOf(workspaceId, { ...CHANGE, object: order });
  const told = await first(receiver.received, secret);
  expect(told.data).toEqual({ ...CHANGE, object: null, previous: {}, truncated: true });
  expect(PatchbayEvent.parse(told)).toEqual(told);
  const { data } = await world.delivery.feed.listEvents({ workspaceId, from: "start", limit: 10 });
  expect(data).toEqual([told]);
});

test("an event of just under 256 KiB carries its record", async () => {
  const workspaceId = await world.aWorkspace();
  const room = 256 * 1024 - JSON.stringify(EVENT_CATALOGUE["order.updated"].example).length;
  await tellOf(workspaceId, { ...CHANGE, object: { ...EXAMPLE, note: "x".repeat(room - 100) } });
  const data = await waitFor(async () => {
    const page = await world.delivery.feed.listEvents({ workspaceId, from: "start", limit: 10 });
    return page.data.length > 0 && page.data;
  });
  expect(data[0]?.data).toMatchObject({ truncated: false, object: { id: EXAMPLE.id } });
});

const EXAMPLE: Order = notNull(CHANGE.object);

function tellOf(workspaceId: WorkspaceId, data: RecordChange<"order">) {
  const record = { id: newId<RecordId>(), model: "order", version: 2 } as const;
  return world.append([anEvent(workspaceId, { type: "order.updated", data: { ...data }, record })]);
}

async function patch(workspaceId: WorkspaceId, id: string, payload: "full" | "thin"): Promise<void> {
  const rows = await world.sql`select id from endpoints where workspace_id = ${workspaceId}`;
  expect(rows).toHaveLength(1);
  const changed = await world.delivery.endpoints.update({
    workspaceId,
    endpointId: rows[0]?.["id"],
    body: { payload },
  });
  expect(changed).toMatchObject({ id, payload });
}

/** The first delivery, verified by the published package. */
async function first(received: readonly Received[], secret: string): Promise<PatchbayEvent> {
  const request = await waitFor(() => received[0], { what: "a delivery" });
  const headers = Object.fromEntries(
    Object.entries(request.headers).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
  return new Webhook(secret).verify(request.body, headers) as PatchbayEvent;
}

function notNull<T>(value: T | null): T {
  if (value === null) throw new Error("the example carries no record");
  return value;
}
