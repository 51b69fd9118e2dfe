/** Every route, and every place in it where an id can sit: who asks for another's things hears what nobody's id gives. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FIXTURES, WORDS } from "./fixtures.ts";
import type { Owner, Place } from "./places.ts";
import { send, withKey, withSession, type Answer } from "./http.ts";
import { comparable, edgeIdsIn, unknownTwin } from "./ids.ts";
import { operationsOf, readOpenApi, type Operation } from "./routes.ts";
import { snapshot, type Of } from "./snapshot.ts";
import { createWorld, everythingListed, mintSession, startAuthorization, type World } from "./world.ts";

let world: World;
let operations: readonly Operation[];
beforeAll(async () => {
  world = await createWorld();
  operations = operationsOf(await readOpenApi(world.product));
}, 120_000);
afterAll(() => world[Symbol.asyncDispose]());

const ROUTES = Object.entries(FIXTURES);
const WITH_PLACES = ROUTES.filter(([, places]) => places.length > 0);

describe("the matrix", () => {
  test("T1: has a fixture for every route of the live table, and for no other", () => {
    expect(operations.map((operation) => operation.name).toSorted()).toEqual(Object.keys(FIXTURES).toSorted());
  });

  test("T1: has a case for every place that an id can sit in", () => {
    const missing = operations.flatMap((operation) =>
      placesOf(operation)
        .filter((at) => !WORDS.has(`${operation.name} ${at}`))
        .filter((at) => !FIXTURES[operation.name]?.some((place) => place.at === at))
        .map((at) => `${operation.name} ${at}`),
    );
    expect(missing).toEqual([]);
  });
});

describe("another workspace's id", () => {
  test.each(WITH_PLACES)("T1: %s answers as to an unknown one, and changes nothing", async (name, places) => {
    const { b, product } = world;
    const owner = { product, side: b, tenant: b.first };
    for (const place of places) await expectNothingTold(name, place, owner, { workspaceUuid: b.uuid });
  });

  const posts = ROUTES.filter(([name]) => name.startsWith("POST /v1/"));
  test.each(posts)(
    "T1: %s takes an Idempotency-Key that another workspace used as a fresh one",
    async (name, places) => {
      const { a, b, product } = world;
      const id = unknownTwin((await places[0]?.theirs({ product, side: b, tenant: b.first })) ?? "");
      const call = places[0]?.call(id, a) ?? { path: name.split(" ")[1] ?? "", body: {} };
      const withIdempotency = (key: string) =>
        send(product, { method: "POST", ...call, headers: { ...withKey(a.apiKey), "idempotency-key": key } });
      const before = await rowsOf({ workspaceUuid: b.uuid });
      // A route's own copy: A spends the same text on each of its routes in turn.
      await world.product.database.sql`delete from idempotency_keys where workspace_id = ${a.uuid}`;
      const theirs = await withIdempotency(b.idempotencyKey);
      const fresh = await withIdempotency(randomUUID());
      expect(theirs.headers.get("idempotent-replayed")).toBeNull();
      expect(said(theirs, id)).toEqual(said(fresh, id));
      expect(await rowsOf({ workspaceUuid: b.uuid })).toEqual(before);
    },
  );

  test("T1: lists hold none of it, however far they are read", async () => {
    const { a, b, product } = world;
    const mine = await everythingListed(product, a.apiKey, [a.first.id, a.second.id]);
    const theirs = edgeIdsIn(await everythingListed(product, b.apiKey, [b.first.id, b.second.id]));
    expect(theirs.size).toBeGreaterThan(300);
    expect([...edgeIdsIn(mine)].filter((id) => theirs.has(id))).toEqual([]);
    for (const text of [b.first.id, b.second.id, b.clientId]) expect(mine).not.toContain(JSON.stringify(text));
  });

  test("T1: the audit log holds what its own keys and people did, and nothing of another's", async () => {
    const { a, b } = world;
    const [mine, theirs] = await Promise.all(
      [a, b].map((side) => side.sdk.audit.list({ limit: 100 }).toArray({ limit: 2_000 })),
    );
    expect(mine?.length).toBeGreaterThan(50);
    expect(new Set(mine?.map((entry) => entry.workspaceId))).toEqual(new Set([a.workspace.id]));
    const actors = new Set(theirs?.map((entry) => entry.actor.id).filter((id) => id !== null));
    const requests = new Set(theirs?.map((entry) => entry.requestId).filter((id) => id !== null));
    const shared = mine?.filter(({ actor, requestId }) => actors.has(actor.id ?? "") || requests.has(requestId ?? ""));
    expect(shared).toEqual([]);
  });

  test("T1: a tenant of the same name in two workspaces is two tenants", async () => {
    const { a, b } = world;
    await a.sdk.tenants.upsert({ id: b.first.id, name: "A's own" });
    expect(await a.sdk.records.list(b.first.id, "order", { includeDeleted: true }).toArray({ limit: 10 })).toEqual([]);
    expect(await a.sdk.connections.list({ tenantId: b.first.id }).toArray({ limit: 10 })).toEqual([]);
    expect(await a.sdk.events.list({ tenantId: b.first.id }).toArray({ limit: 10 })).toEqual([]);
    expect((await b.sdk.tenants.retrieve(b.first.id)).name).toBeNull();
    await world.product.database
      .sql`delete from tenants where workspace_id = ${a.uuid} and external_id = ${b.first.id}`;
  });
});

describe("another tenant of the same workspace", () => {
  const widget = WITH_PLACES.filter(([name]) => name.includes(" /connect/"));
  test.each(widget)("T1: %s: a session hears of its things what it hears of nothing", async (name, places) => {
    const { a, product } = world;
    const owner = { product, side: a, tenant: a.second };
    for (const place of places) await expectNothingTold(name, place, owner, a.second.rows);
  });

  test.each(widget.filter(([name]) => name.includes("/authorizations/{id}")))(
    "T1: %s: what one person started is nothing to another person of the same tenant",
    async (name, places) => {
      const { a, product } = world;
      const token = await mintSession(a, a.first.id, "colleague");
      const { id } = await startAuthorization(product, token);
      for (const place of places) {
        const owner = { product, side: a, tenant: { ...a.first, authorizationId: id } };
        await expectNothingTold(name, place, owner, { ...a.first.rows, withoutAuditLog: true });
      }
    },
  );

  test("T1: a session's first paint shows its own tenant alone", async () => {
    const { a, product } = world;
    const texts = await Promise.all(
      [a.first, a.second].map(async ({ sessionToken }) => {
        const body = JSON.stringify({ token: sessionToken });
        const headers = { origin: "http://host.localhost:9", "content-type": "text/plain" };
        return (await fetch(`${product.url}/connect/v1/session`, { method: "POST", headers, body })).text();
      }),
    );
    const [first = "", second = ""] = texts;
    expect(first).toContain(a.first.connectionId);
    expect(second).toContain(a.second.connectionId);
    expect([...edgeIdsIn(second)].filter((id) => edgeIdsIn(first).has(id))).toEqual([]);
    expect(second).not.toContain(`"tenantId":"${a.first.id}"`);
  });

  test("T1: lists of one tenant hold nothing of another", async () => {
    const { a } = world;
    const of = async (tenant: string) =>
      JSON.stringify([
        await a.sdk.connections.list({ tenantId: tenant }).toArray({ limit: 100 }),
        await a.sdk.events.list({ tenantId: tenant }).toArray({ limit: 1_000 }),
        await a.sdk.records.list(tenant, "order").toArray({ limit: 1_000 }),
      ]);
    const first = edgeIdsIn(await of(a.first.id));
    const second = edgeIdsIn(await of(a.second.id));
    expect(first.size).toBeGreaterThan(50);
    expect([...second].filter((id) => first.has(id))).toEqual([]);
  });

  test("T1: an order's id leads nowhere under another tenant", async () => {
    const { a } = world;
    const asked = a.sdk.records.retrieve(a.second.id, "order", a.first.orderId);
    await expect(asked).rejects.toMatchObject({ status: 404, code: "record_not_found" });
  });
});

/** Places of a route whose name says that an id goes there. */
function placesOf(operation: Operation): readonly string[] {
  const names = [
    ...operation.parameters.map((parameter) => `${parameter.in}.${parameter.name}`),
    ...operation.bodyFields.map((field) => `body.${field}`),
  ];
  return names.filter((name) => /(?:\.id|Ids?|cursor|\.after|\.tenant|Url|provider)$/.test(name)).filter(isNotOwnUrl);
}

/** `url` of an endpoint and `baseUrlOverride` name what is outside. */
function isNotOwnUrl(name: string): boolean {
  return name !== "body.url" && name !== "body.provider" && name !== "query.provider";
}

async function expectNothingTold(name: string, place: Place, owner: Owner, of: Of): Promise<void> {
  const id = await place.theirs(owner);
  const twin = place.unknown ?? unknownTwin(id);
  expect(id, `${name} ${place.at} has something to ask for`).not.toBe("");
  expect(twin).not.toBe(id);
  const before = await rowsOf(of);
  const theirs = await ask(name, place, id);
  const nobodys = await ask(name, place, twin);
  const makes = place.makes === true;
  expect(said(theirs, id, makes), `${name} ${place.at}`).toEqual(said(nobodys, twin, makes));
  const told = edgeIdsIn(theirs.text.replaceAll(id, ""));
  for (const each of [owner.tenant.connectionId, owner.tenant.orderId, owner.tenant.runId]) {
    expect(told.has(each), `${name} ${place.at} tells ${each}`).toBe(false);
  }
  expect(await rowsOf(of), `${name} ${place.at}`).toEqual(before);
}

function ask(name: string, place: Place, id: string): Promise<Answer> {
  const { a, product } = world;
  const [method = "", path = ""] = name.split(" ");
  const headers = path.startsWith("/connect/") ? withSession(a.first.sessionToken) : withKey(a.apiKey);
  const call = place.call(id, a);
  return send(product, { method, ...call, headers: { ...headers, ...call.headers } });
}

function said(answer: Answer, asked: string, makes = false): unknown {
  const headers = Object.fromEntries(answer.headers);
  return {
    status: answer.status,
    body: comparable(answer.text, asked, { newIds: makes }),
    headers: Object.keys(headers).toSorted(),
  };
}

function rowsOf(of: Of) {
  return snapshot(world.product.database.sql, of);
}
