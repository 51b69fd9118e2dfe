import { decodeId, type EndpointId } from "@patchbay/shared";
import { afterAll, beforeAll, expect, test } from "vitest";
import { anEvent, createWorld, type Answer, type World } from "../../../../../test/harness/delivery-world.ts";
import { waitFor } from "../../../../../test/harness/wait-for.ts";

let world: World;
beforeAll(async () => {
  world = await createWorld();
  world.start();
});
afterAll(() => world.close());

test("an endpoint that is down costs a probe an opening, and touches none of what waits for it", async () => {
  const many = 200;
  const fails = Array.from({ length: 13 }, (): Answer => 500);
  const workspaceId = await world.aWorkspace();
  const receiver = await world.aReceiver(...fails, 200);
  const endpoint = await world.delivery.endpoints.create({ workspaceId, body: { url: receiver.url } });
  const endpointId = decodeId("we", endpoint.id) as EndpointId;
  await world.append(Array.from({ length: many }, () => anEvent(workspaceId)));
  const requests = (count: number) => waitFor(() => receiver.received.length >= count, { what: `request ${count}` });
  await requests(10);
  for (const [opening, restSeconds] of [30, 60, 120].entries()) {
    await resting(endpointId);
    world.pass((restSeconds + 1) * 1_000);
    await requests(11 + opening);
  }
  await resting(endpointId);
  expect(receiver.received).toHaveLength(13);
  const touched = await world.sql`
    select i.id from queue.items i left join deliveries d on d.id = i.id
    where i.lane_id = ${endpointId} and i.attempts > 0 and d.attempts = 0`;
  expect(touched).toHaveLength(0);

  world.pass(241 * 1_000);
  await requests(many);
});

/** Once all lanes of an endpoint rest. */
async function resting(endpointId: EndpointId): Promise<void> {
  await waitFor(
    async () => {
      const lanes = await world.sql<{ rests: boolean }[]>`
        select rest_until > ${world.clock.now()} and lease_until is null as rests from queue.lanes
        where lane_id = ${endpointId} and pending > 0`;
      return lanes.length > 0 && lanes.every(({ rests }) => rests);
    },
    { what: "lanes at rest" },
  );
}
