import { decodeId, type EndpointId, type SignWith, type WorkspaceId } from "@patchbay/shared";
import { Webhook } from "standardwebhooks";
import { Webhook as SvixWebhook } from "svix";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createWorld, type Received, type World } from "../../../../../../test/harness/delivery-world.ts";
import { waitFor } from "../../../../../../test/harness/wait-for.ts";

let world: World;
beforeAll(async () => {
  world = await createWorld();
  world.start();
});
afterAll(() => world.close());

test("a test is signed with every live secret, newest first, unless the newest alone is asked for", async () => {
  const { workspaceId, endpointId, receiver, oldest } = await anEndpoint();
  const older = await rotate(workspaceId, endpointId);
  const newest = await rotate(workspaceId, endpointId);

  const byAll = await tested(workspaceId, endpointId, receiver.received);
  expect(accepts(byAll, [newest, older, oldest])).toEqual([true, true, true]);
  const byNewest = await tested(workspaceId, endpointId, receiver.received, "newest");
  expect(accepts(byNewest, [newest, older, oldest])).toEqual([true, false, false]);
});

test("what an attempt was signed with is on record; a real delivery has every signature again", async () => {
  const { workspaceId, endpointId, receiver, oldest } = await anEndpoint(500, 200);
  const newest = await rotate(workspaceId, endpointId);
  const request = await tested(workspaceId, endpointId, receiver.received, "newest");
  expect(accepts(request, [newest, oldest])).toEqual([true, false]);
  await waitFor(async () => (await attemptsOf(workspaceId, endpointId)).length === 1, { what: "the attempt" });
  world.pass(6_000);
  const again = await waitFor(() => receiver.received[1], { what: "its repetition" });
  expect(accepts(again, [newest, oldest])).toEqual([true, false]);
  await waitFor(async () => (await attemptsOf(workspaceId, endpointId)).length === 2, { what: "both attempts" });
  expect(await attemptsOf(workspaceId, endpointId)).toMatchObject([
    { number: 2, statusCode: 200, signedWith: "newest" },
    { number: 1, statusCode: 500, signedWith: "newest" },
  ]);
  expect(await tested(workspaceId, endpointId, receiver.received)).toSatisfy((sent: Received) =>
    accepts(sent, [newest, oldest]).every(Boolean),
  );
  const { data } = await world.delivery.listDeliveries({ workspaceId, limit: 10 });
  expect(data.map(({ signWith }) => signWith)).toEqual(["all", "newest"]);
});

test("an endpoint with one secret has the same test either way", async () => {
  const { workspaceId, endpointId, receiver, oldest } = await anEndpoint();
  expect(accepts(await tested(workspaceId, endpointId, receiver.received, "newest"), [oldest])).toEqual([true]);
});

test("tests asked for at the same time are signed each as asked", async () => {
  const { workspaceId, endpointId, receiver, oldest } = await anEndpoint();
  const newest = await rotate(workspaceId, endpointId);
  const asked: SignWith[] = ["newest", "all", "newest", "all"];
  const sent = await Promise.all(
    asked.map((signWith) => world.delivery.endpoints.sendTest({ workspaceId, endpointId, signWith })),
  );
  await waitFor(() => receiver.received.length === asked.length, { what: "all of them" });
  const byOld = sent.map(({ eventId }) => {
    const request = receiver.received.find(({ headers }) => headers["webhook-id"] === eventId);
    return request !== undefined && accepts(request, [newest, oldest])[1];
  });
  expect(byOld).toEqual([false, true, false, true]);
});

async function anEndpoint(...answers: readonly number[]) {
  const workspaceId = await world.aWorkspace();
  const receiver = await world.aReceiver(...answers);
  const { id, secret } = await world.delivery.endpoints.create({ workspaceId, body: { url: receiver.url } });
  return { workspaceId, receiver, endpointId: decodeId("we", id) as EndpointId, oldest: secret };
}

async function rotate(workspaceId: WorkspaceId, endpointId: EndpointId): Promise<string> {
  return (await world.delivery.endpoints.rotateSecret({ workspaceId, endpointId })).secret;
}

/** Sends a test. @returns what came of it */
async function tested(
  workspaceId: WorkspaceId,
  endpointId: EndpointId,
  received: readonly Received[],
  signWith?: SignWith,
): Promise<Received> {
  const { eventId } = await world.delivery.endpoints.sendTest({ workspaceId, endpointId, signWith });
  return waitFor(() => received.find(({ headers }) => headers["webhook-id"] === eventId), { what: "the test" });
}

async function attemptsOf(workspaceId: WorkspaceId, endpointId: EndpointId) {
  return (await world.delivery.listAttempts({ workspaceId, endpointId, limit: 10 })).data;
}

/** What hosts with these secrets say, by two libraries that are not ours and must agree. */
function accepts({ headers, body }: Received, secrets: readonly string[]): readonly boolean[] {
  const signed = Object.fromEntries(
    ["webhook-id", "webhook-timestamp", "webhook-signature"].map((name) => [name, String(headers[name])]),
  );
  return secrets.map((secret) => {
    const verdicts = [new Webhook(secret), new SvixWebhook(secret)].map((library) => {
      try {
        library.verify(body, signed);
        return true;
      } catch {
        return false;
      }
    });
    expect(verdicts[0]).toBe(verdicts[1]);
    return verdicts[0] === true;
  });
}
