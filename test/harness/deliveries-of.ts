import { decodeId, type EndpointId, type PatchbayEvent, type WorkspaceId } from "@patchbay/shared";
import { Webhook } from "standardwebhooks";
import { expect } from "vitest";
import type { Answer, Received, World } from "./delivery-world.ts";
import { waitFor } from "./wait-for.ts";

/** Endpoints in a world, and what becomes of the deliveries to them. */
export function deliveriesOf(world: () => World) {
  return { anEndpoint, requests, list, settled, attempted, feed, toldOf, items };

  async function anEndpoint(...answers: readonly Answer[]) {
    const workspaceId = await world().aWorkspace();
    const receiver = await world().aReceiver(...answers);
    const endpoint = await world().delivery.endpoints.create({ workspaceId, body: { url: receiver.url } });
    const endpointId = decodeId("we", endpoint.id);
    if (endpointId === null) throw new Error("an endpoint without an id");
    return { workspaceId, receiver, endpointId, secret: endpoint.secret };
  }

  function requests(receiver: { readonly received: readonly Received[] }, count: number): Promise<readonly Received[]> {
    return waitFor(() => (receiver.received.length >= count ? receiver.received : null), { what: `request ${count}` });
  }

  async function list(workspaceId: WorkspaceId) {
    return (await world().delivery.listDeliveries({ workspaceId, limit: 100 })).data;
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

  async function feed(workspaceId: WorkspaceId): Promise<readonly PatchbayEvent[]> {
    return (await world().delivery.feed.listEvents({ workspaceId, from: "start", limit: 100 })).data;
  }

  async function toldOf(workspaceId: WorkspaceId, types: readonly string[]): Promise<void> {
    await waitFor(async () => (await feed(workspaceId)).length >= types.length, { what: types.join(", ") });
    expect((await feed(workspaceId)).map(({ type }) => type)).toEqual(types);
  }

  async function items(endpointId: EndpointId): Promise<number> {
    const rows = await world().sql`select 1 from queue.items where lane_id = ${endpointId}`;
    return rows.length;
  }
}

export function verified(request: Received | undefined, secret: string): PatchbayEvent {
  if (request === undefined) throw new Error("no request");
  // The library checks the clock of this machine, which is ahead of or behind the tests' clock.
  expect(signedBy(request, secret)).toBe(true);
  return JSON.parse(request.body) as PatchbayEvent;
}

/** By the reference library, told that it is the moment of the attempt. */
export function signedBy(request: Received | undefined, secret: string): true {
  if (request === undefined) throw new Error("no request");
  const id = String(request.headers["webhook-id"]);
  const expected = new Webhook(secret).sign(id, sentAt(request), request.body);
  if (!String(request.headers["webhook-signature"]).split(" ").includes(expected))
    throw new Error("No matching signature");
  return true;
}

export function sentAt(request: Received | undefined): Date {
  return new Date(Number(request?.headers["webhook-timestamp"]) * 1000);
}
