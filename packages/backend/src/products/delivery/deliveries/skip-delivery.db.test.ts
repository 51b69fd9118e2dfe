import { decodeId, type DeliveryId, type EndpointId, type RecordId, type WorkspaceId } from "@patchbay/shared";
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { anEvent, createWorld, type Answer, type World } from "../../../../../../test/harness/delivery-world.ts";
import { waitFor } from "../../../../../../test/harness/wait-for.ts";

let world: World;
beforeAll(async () => {
  world = await createWorld();
  world.start();
});
afterAll(() => world.close());

describe("a dead head that is skipped", () => {
  test("lets the later ones go on in order, and is no dead letter any more", async () => {
    const record = randomUUID();
    const { workspaceId, dead, versions } = await aDeadHead(record);
    await append(workspaceId, record, [2, 3, 4]);
    await statuses(workspaceId, ["failed", "waiting", "waiting", "waiting"]);
    const skipped = await world.delivery.skipDelivery({ workspaceId, deliveryId: dead });
    expect(skipped).toMatchObject({ status: "skipped", nextAttemptAt: null, attempts: 1 });
    await statuses(workspaceId, ["skipped", "delivered", "delivered", "delivered"]);
    expect((await versions()).slice(1)).toEqual([2, 3, 4]);
    expect((await world.delivery.listDeadLetters({ workspaceId, limit: 10 })).data).toEqual([]);
  });

  test("is sent after all when it is retried", async () => {
    const record = randomUUID();
    const { workspaceId, dead, versions } = await aDeadHead(record);
    await world.delivery.skipDelivery({ workspaceId, deliveryId: dead });
    await world.delivery.retryDelivery({ workspaceId, deliveryId: dead });
    await statuses(workspaceId, ["delivered"]);
    expect(await versions()).toEqual([1, 1]);
  });

  test("many times at once lets each later one go once", async () => {
    const record = randomUUID();
    const { workspaceId, dead, versions } = await aDeadHead(record);
    await append(workspaceId, record, [2, 3]);
    await statuses(workspaceId, ["failed", "waiting", "waiting"]);
    const skips = Array.from({ length: 5 }, () => world.delivery.skipDelivery({ workspaceId, deliveryId: dead }));
    expect((await Promise.all(skips)).map(({ status }) => status)).toEqual(Array(5).fill("skipped"));
    await statuses(workspaceId, ["skipped", "delivered", "delivered"]);
    expect((await versions()).slice(1)).toEqual([2, 3]);
  });

  test("while later ones come leaves none behind", async () => {
    // Fewer than open the breaker.
    const records = Array.from({ length: 8 }, () => randomUUID());
    const { workspaceId, endpointId } = await anEndpoint(...Array<Answer>(records.length).fill(500), 200);
    await append(workspaceId, records, [1]);
    const heads = await died(workspaceId, endpointId, records.length);
    await Promise.all(
      heads.map(async ({ id, record }, index) => {
        const appended = append(workspaceId, record, [2, 3]);
        if (index % 2 === 0) await appended;
        await world.delivery.skipDelivery({ workspaceId, deliveryId: id });
        await appended;
      }),
    );
    const each = [...Array<string>(8).fill("skipped"), ...Array<string>(16).fill("delivered")];
    await statuses(workspaceId, each, (all) => all.toSorted().toReversed());
  });

  test("is waited for by a later one that would park behind it", async () => {
    const record = randomUUID();
    const { workspaceId, dead } = await aDeadHead(record);
    await world.sql.begin(async (skipping) => {
      await skipping`update deliveries set status = 'skipped' where id = ${dead}`;
      await append(workspaceId, record, [2]);
      const waits = () => world.sql`
        select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
      await waitFor(async () => (await waits()).length > 0, { what: "the later one" });
    });
    await statuses(workspaceId, ["skipped", "delivered"]);
  });

  test("of a disabled endpoint keeps the later ones until it is enabled", async () => {
    const record = randomUUID();
    const { workspaceId, endpointId, dead } = await aDeadHead(record);
    await append(workspaceId, record, [2]);
    await statuses(workspaceId, ["failed", "waiting"]);
    await world.delivery.endpoints.update({ workspaceId, endpointId, body: { status: "disabled" } });
    await world.delivery.skipDelivery({ workspaceId, deliveryId: dead });
    await statuses(workspaceId, ["skipped", "held"]);
    await world.delivery.endpoints.update({ workspaceId, endpointId, body: { status: "enabled" } });
    await statuses(workspaceId, ["skipped", "delivered"]);
  });
});

test.each(["pending", "delivered", "held", "waiting"])("a delivery that is %s cannot be skipped", async (status) => {
  const { workspaceId, dead } = await aDeadHead(randomUUID());
  await world.sql`update deliveries set status = ${status} where id = ${dead}`;
  await expect(world.delivery.skipDelivery({ workspaceId, deliveryId: dead })).rejects.toMatchObject({
    code: "conflict",
    message: expect.stringContaining(status),
  });
  await statuses(workspaceId, [status]);
});

test("another workspace's dead letter is unknown, and stays", async () => {
  const { workspaceId, dead } = await aDeadHead(randomUUID());
  const other = await world.aWorkspace();
  await expect(world.delivery.skipDelivery({ workspaceId: other, deliveryId: dead })).rejects.toMatchObject({
    code: "delivery_not_found",
  });
  await statuses(workspaceId, ["failed"]);
});

/** An endpoint in strict order whose first delivery is dead. */
async function aDeadHead(record: string) {
  const made = await anEndpoint(500, 200);
  await append(made.workspaceId, record, [1]);
  const [dead] = await died(made.workspaceId, made.endpointId, 1);
  if (dead === undefined) throw new Error("nothing died");
  return { ...made, dead: dead.id };
}

async function anEndpoint(...answers: readonly Answer[]) {
  const workspaceId = await world.aWorkspace();
  const receiver = await world.aReceiver(...answers);
  const { id } = await world.delivery.endpoints.create({
    workspaceId,
    body: { url: receiver.url, order: "perRecord" },
  });
  /** The versions that were received. */
  const versions = async () => {
    const rows = await world.sql<{ id: string; version: number }[]>`
      select id, record_version as version from events where workspace_id = ${workspaceId}`;
    const of = new Map(rows.map(({ id, version }) => [id, version]));
    return receiver.received.map(({ headers }) => of.get(decodeId("evt", String(headers["webhook-id"])) ?? ""));
  };
  return { workspaceId, endpointId: decodeId("we", id) as EndpointId, versions };
}

async function append(workspaceId: WorkspaceId, records: string | readonly string[], versions: readonly number[]) {
  const of = [records].flat() as RecordId[];
  await world.append(
    versions.flatMap((version) =>
      of.map((id) => anEvent(workspaceId, { type: "order.updated", record: { id, model: "order", version } })),
    ),
  );
}

interface Dead {
  readonly id: DeliveryId;
  readonly record: string;
}

/** Waits until so many were tried once, and lets that have been the last time. */
async function died(workspaceId: WorkspaceId, endpointId: EndpointId, count: number): Promise<readonly Dead[]> {
  const tried = () => world.sql`select 1 from deliveries where workspace_id = ${workspaceId} and attempts = 1`;
  await waitFor(async () => (await tried()).length === count, { what: "the attempts" });
  return world.sql<Dead[]>`
    update deliveries set status = 'failed', next_attempt_at = null where endpoint_id = ${endpointId}
    returning id, order_key as record`;
}

/** Waits until the deliveries of a workspace are so, by position. */
async function statuses(
  workspaceId: WorkspaceId,
  expected: readonly string[],
  arrange: (all: string[]) => string[] = (all) => all,
): Promise<void> {
  await waitFor(
    async () => {
      const rows = await world.sql<{ status: string }[]>`
        select status from deliveries where workspace_id = ${workspaceId} order by position`;
      expect(arrange(rows.map(({ status }) => status))).toEqual(expected);
      return true;
    },
    { what: "the deliveries" },
  );
}
