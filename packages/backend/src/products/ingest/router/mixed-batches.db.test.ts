import type { InboxId, SourceId } from "@patchbay/shared";
import type { SQL } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { createIngestWorld, type IngestWorld } from "../../../../../../test/harness/ingest-world.ts";
import type { Connector, ProviderChange } from "../../../connectors/kit/index.ts";
import type { Tx } from "../../../platform/db/index.ts";
import { newId } from "../../../platform/runtime/index.ts";
import { createIngest, type Ingest } from "../create-ingest.ts";
import { waitersOf } from "./waiting-for.ts";

/** A provider that sends batches of several accounts to one address, as HubSpot does; its elements are hints. */
let world: IngestWorld;
let ingest: Ingest;
type Side = Awaited<ReturnType<IngestWorld["connect"]>>;
let acme: Side;
let maison: Side;
let sourceId: SourceId;

beforeAll(async () => {
  world = await createIngestWorld({ orders: 2, products: 2, customers: 2 });
  ingest = createIngest({ ...world.deps, connectorById: batching(world.deps.connectorById) });
});
beforeEach(async () => {
  acme = await world.connect();
  maison = await world.connect({ shop: "maison-lumiere.myshopify.com", workspaceId: acme.workspaceId });
  sourceId = newId<SourceId>();
  await world.sql`insert into sources (workspace_id, id, provider, provider_app_id, created_at)
                  values (${acme.workspaceId}, ${sourceId}, 'shopify', ${acme.providerAppId}, now())`;
});
afterAll(() => world.close());

test("a batch is routed element by element: each account's to its connection, and one bad one stops no other", async () => {
  await deliver([
    { account: acme.shop, id: "1" },
    { account: maison.shop, id: "2" },
    { account: "nobody.myshopify.com", id: "3" },
    { account: acme.shop, id: "\u0000" },
    { account: acme.shop, id: null },
    { account: acme.shop, id: "1" },
    { account: maison.shop, id: "4" },
  ]);
  await ingest.router.routeDue();
  expect(await elements()).toEqual([
    ["routed", null, acme.connectionId],
    ["routed", null, maison.connectionId],
    ["unrouted", null, null],
    ["quarantined", "unknown_shape", null],
    ["quarantined", "unknown_shape", null],
    ["duplicate", null, null],
    ["routed", null, maison.connectionId],
  ]);
  expect(await marksOf(acme)).toEqual(["1"]);
  expect(await marksOf(maison)).toEqual(["2", "4"]);
});

test("an element for an account that two tenants share marks it for both", async () => {
  const twin = await shared(acme);
  await deliver([{ account: acme.shop, id: "7" }]);
  await ingest.router.routeDue();
  expect([await marksOf(acme), await marksOf(twin)]).toEqual([["7"], ["7"]]);
});

test("a batch of more elements than any provider sends is kept for people to look at", async () => {
  await deliver(Array.from({ length: 10_001 }, () => ({ account: acme.shop, id: "1" })));
  await ingest.router.routeDue();
  expect(await elements()).toEqual([["quarantined", "too_many_elements", null]]);
});

test("the largest batches are routed together in one go", async () => {
  const batch = (from: number) =>
    Array.from({ length: 5_000 }, (_, at) => ({ account: acme.shop, id: `${from + at}` }));
  for (let n = 1; n <= 2; n++) await deliver(batch(n * 10_000));
  await ingest.router.routeDue();
  const [row] =
    await world.sql`select count(*)::int as marks from dirty_marks where connection_id = ${acme.connectionId}`;
  expect(row).toEqual({ marks: 10_000 });
});

test("what waits for an account is routed when the account is connected, and only that", async () => {
  const later = "maison-lumiere.myshopify.com";
  await world.sql`update connections set activated_at = null where id = ${maison.connectionId}`;
  await deliver([
    { account: later, id: "11" },
    { account: "nobody.myshopify.com", id: "12" },
  ]);
  await ingest.router.routeDue();
  expect(await elements()).toEqual([
    ["unrouted", null, null],
    ["unrouted", null, null],
  ]);
  await world.sql`update connections set activated_at = now() where id = ${maison.connectionId}`;
  await activated(maison);
  expect(await elements()).toEqual([
    ["routed", null, maison.connectionId],
    ["unrouted", null, null],
  ]);
  const [left] =
    await world.sql`select count(*)::int as waiting from inbox_outcomes where workspace_id = ${acme.workspaceId} and waits_for is not null`;
  expect(left).toEqual({ waiting: 1 });
});

test("nothing is parked behind the back of a connection that appears meanwhile", async () => {
  await world.sql`update connections set activated_at = null where id = ${maison.connectionId}`;
  let appeared = false;
  const appear = async () => {
    appeared = true;
    await world.sql`update connections set activated_at = now() where id = ${maison.connectionId}`;
  };
  const { worker } = world.deps;
  const racing = createIngest({
    ...world.deps,
    connectorById: batching(world.deps.connectorById),
    worker: {
      ...worker,
      // Once the router has seen its connections, and before it writes.
      withWorkspace: (workspaceId, work) =>
        worker.withWorkspace(workspaceId, (tx) => {
          let statements = 0;
          const execute = (statement: SQL) =>
            statements++ === 0 || appeared ? tx.execute(statement) : appear().then(() => tx.execute(statement));
          return work(Object.create(tx, { execute: { value: execute } }) as Tx);
        }),
    },
  });
  await deliver([{ account: maison.shop, id: "21" }]);
  await racing.router.routeDue();
  expect(appeared).toBe(true);
  expect(await elements()).toEqual([["routed", null, maison.connectionId]]);
});

test("what is parked tells no account", async () => {
  await deliver([{ account: "nobody.myshopify.com", id: "12" }]);
  await ingest.router.routeDue();
  const [row] = await world.sql<{ waits_for: Buffer; text: string }[]>`
    select waits_for, o::text as text from inbox_outcomes o where workspace_id = ${acme.workspaceId}`;
  expect(row?.text).not.toContain("nobody");
  const connection = {
    id: acme.connectionId,
    provider: "shopify",
    accountId: "nobody.myshopify.com",
    accountAliases: [],
  };
  expect(waitersOf(connection).some((each) => each.equals(row?.waits_for ?? Buffer.of()))).toBe(true);
});

/** Another tenant's connection to the same account, on the same grant. */
async function shared(side: Side): Promise<Pick<Side, "connectionId">> {
  const [row] = await world.sql<{ id: Side["connectionId"] }[]>`
    with tenant as (
      insert into tenants (workspace_id, uid, external_id, created_at, updated_at)
      values (${side.workspaceId}, gen_random_uuid(), 'twin', now(), now()) returning uid
    )
    insert into connections (workspace_id, id, tenant_uid, grant_id, provider, account_id, account_aliases, account_name,
                             account_currency, mode, status, models, params, created_at, activated_at, updated_at)
    select c.workspace_id, gen_random_uuid(), tenant.uid, c.grant_id, c.provider, c.account_id, c.account_aliases, c.account_name,
           c.account_currency, c.mode, c.status, c.models, c.params, c.created_at, c.activated_at, c.updated_at
    from connections c, tenant where c.id = ${side.connectionId} returning id`;
  if (row === undefined) throw new Error("no second connection");
  return { connectionId: row.id };
}

interface Element {
  readonly account: string;
  readonly id: string | null;
}

/** The real connector, but for what a body says. */
function batching(byId: (id: string) => Connector | null): (id: string) => Connector | null {
  return (id) => {
    const connector = byId(id);
    if (!connector?.webhooks) return connector;
    const parse = ({ body }: { readonly body: unknown }) => (body as readonly Element[]).map(toChange);
    return { ...connector, webhooks: { ...connector.webhooks, parse } };
  };
}

function toChange({ account, id }: Element): ProviderChange {
  const hint =
    id === null ? ({ kind: "unreadable" } as const) : ({ kind: "changed", resource: "orders", remoteId: id } as const);
  return { accountKey: account, dedupeKey: `${account} ${id}`, topic: "order.changed", hint };
}

let last: InboxId;

async function deliver(elements: readonly Element[]): Promise<void> {
  const body = JSON.stringify(elements);
  const headers = world.signed("batch", acme.shop, body);
  await ingest.accept({
    workspaceId: acme.workspaceId,
    sourceId,
    provider: "shopify",
    headers,
    rawBody: Buffer.from(body),
    receivedAt: new Date(),
  });
  const [row] = await world.sql<
    { id: InboxId }[]
  >`select id from inbox where workspace_id = ${acme.workspaceId} order by id desc limit 1`;
  if (row === undefined) throw new Error("nothing was stored");
  last = row.id;
}

/** Works what a connection's activation leads to until what was parked is routed. */
async function activated(side: Side): Promise<void> {
  await world.activate(side);
  const lanes = world.lanes(ingest.handleLane);
  lanes.start();
  await expect
    .poll(
      async () =>
        (
          await world.sql`select 1 from queue.items where lane_id = ${side.connectionId} and task = 'routeParked' and run_at <= now()`
        ).length,
      { timeout: 20_000 },
    )
    .toBe(0);
  await expect.poll(async () => (await elements())[0]?.[0], { timeout: 20_000 }).toBe("routed");
  await lanes.stop();
}

async function elements() {
  const rows = await world.sql`
    select status, problem, connection_id from inbox_outcomes where inbox_id = ${last} order by element`;
  return rows.map((row) => [row["status"], row["problem"], row["connection_id"]]);
}

async function marksOf(side: Pick<Side, "connectionId">): Promise<string[]> {
  const rows = await world.sql`select remote_id from dirty_marks where connection_id = ${side.connectionId} order by 1`;
  return rows.map((row) => String(row["remote_id"]));
}
