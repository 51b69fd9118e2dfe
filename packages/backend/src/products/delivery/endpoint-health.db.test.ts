import { type WorkspaceId } from "@patchbay/shared";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { anEvent, createWorld, type Answer, type World } from "../../../../../test/harness/delivery-world.ts";
import { deliveriesOf, signedBy, verified } from "../../../../../test/harness/deliveries-of.ts";
import { waitFor } from "../../../../../test/harness/wait-for.ts";

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;

let world: World;
beforeAll(async () => {
  world = await createWorld();
  world.start();
});
afterAll(() => world.close());

const { anEndpoint, requests, list, settled, attempted, feed, toldOf } = deliveriesOf(() => world);

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
