/** Five tenants in two workspaces do anything in any order; each must be as alone as in a map of its own. */
import {
  NormalizedCustomer,
  decodeId,
  type ConnectionId,
  type DataKeyId,
  type GrantId,
  type NormalizedRecord,
  type ProviderAppId,
  type TenantUid,
  type WorkspaceId,
} from "@patchbay/shared";
import { sql } from "drizzle-orm";
import fc from "fast-check";
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../../../../test/harness/database.ts";
import type { Resource } from "../../connectors/kit/index.ts";
import { changeStatus, grants, insertConnection, listConnections } from "../../domain/connections/index.ts";
import { apply, listRecords, type RecordOwner } from "../../domain/records/index.ts";
import type { Sealer } from "../../domain/vault/index.ts";
import { createWorkspace, listTenants, putTenant, tenantRef } from "../../domain/workspaces/index.ts";
import { openDatabase, type Database, type Role, type RoleDatabase, type Tx } from "../../platform/db/index.ts";
import type { ClaimedLane } from "../../platform/lanes/index.ts";
import { silentLogger } from "../../platform/observability/index.ts";
import { systemClock as clock } from "../../platform/runtime/index.ts";
import { connectionEnded } from "../ingest/connection-ended.ts";
import { eraseTenant } from "./erase-tenant.ts";
import { removeRows } from "./remove-rows.ts";
import { erasures } from "./tables.ts";

/** `T5_RUNS=20000` for more than what every check has time for. */
const RUNS = Number(process.env["T5_RUNS"] ?? 1_000);
/** Runs at the same time, each in a transaction of its own. */
const LINES = 4;
const TENANTS = ["t0", "t1", "t2", "t3", "t4"] as const;
const FAR = new Date("2100-01-01");

let fixture: TestDatabase;
let database: Database;
beforeAll(async () => {
  fixture = await createTestDatabase();
  database = openDatabase(fixture.connection, LINES + 2);
});
afterAll(async () => {
  await database.close();
  await fixture.drop();
});

test(
  `T5: ${RUNS} random histories of five tenants in two workspaces end as in maps of their own`,
  { timeout: 60_000 + RUNS * 60 },
  async () => {
    const share = Math.ceil(RUNS / LINES);
    const startedMs = performance.now();
    await Promise.all(
      Array.from({ length: LINES }, async () => {
        const workspaces = [await aWorkspace(), await aWorkspace()];
        const history = fc.asyncProperty(fc.array(STEP, { minLength: 3, maxLength: 7 }), (steps) =>
          live(workspaces, steps),
        );
        await fc.assert(history, { numRuns: share });
      }),
    );
    process.stdout.write(`T5: ${share * LINES} histories in ${Math.round(performance.now() - startedMs)} ms\n`);
  },
);

const STEP = fc.record({
  verb: fc.oneof(
    { weight: 2, arbitrary: fc.constant("put" as const) },
    { weight: 7, arbitrary: fc.constant("apply" as const) },
    { weight: 1, arbitrary: fc.constantFrom("vanish", "pause", "resume", "disconnect") },
    { weight: 2, arbitrary: fc.constant("list" as const) },
    { weight: 1, arbitrary: fc.constant("erase" as const) },
  ),
  workspace: fc.nat({ max: 1 }),
  tenant: fc.constantFrom(...TENANTS),
  account: fc.constantFrom("shop-1", "shop-2"),
  ids: fc.uniqueArray(fc.constantFrom("1", "2", "3"), { minLength: 1, maxLength: 2 }),
  text: fc.constantFrom("Ada", "Bob", "Eve"),
});
type Step = typeof STEP extends fc.Arbitrary<infer Value> ? Value : never;

/** One tenant as a map of its own. */
interface Expected {
  name: string | null;
  /** Account → its live connection. */
  readonly connections: Map<string, { readonly id: ConnectionId; status: "active" | "paused" }>;
  /** Account and id → name. */
  readonly customers: Map<string, string>;
}
type Model = ReadonlyMap<WorkspaceId, Map<string, Expected>>;

/** Does the steps in one transaction, which is rolled back. */
async function live(workspaces: readonly WorkspaceId[], steps: readonly Step[]): Promise<void> {
  const model: Model = new Map(workspaces.map((id) => [id, new Map()]));
  const over = new Error("over");
  const history = database.as("patchbay_app").withQueue(async (tx) => {
    for (const [at, step] of steps.entries()) await take(tx, model, workspaces[step.workspace] ?? NOBODY, step, at);
    for (const workspaceId of workspaces) await compareTables(tx, model, workspaceId);
    throw over;
  });
  await history.catch((error: unknown) => {
    if (error !== over) throw error;
  });
}

async function take(tx: Tx, model: Model, workspaceId: WorkspaceId, step: Step, at: number): Promise<void> {
  const tenants = model.get(workspaceId) ?? new Map<string, Expected>();
  const app = within(tx, "patchbay_app");
  // What is read needs a tenant and a connection: both are made when they are missing.
  if (step.verb === "put" || (step.verb === "apply" && !tenants.has(step.tenant))) {
    await putTenant({ ...app, clock }, { workspaceId, id: step.tenant, body: { name: step.text } });
    const before = tenants.get(step.tenant) ?? { connections: new Map(), customers: new Map() };
    tenants.set(step.tenant, { ...before, name: step.text });
  }
  const tenant = tenants.get(step.tenant);
  if (step.verb === "list") return compare(tx, model, workspaceId, [step.tenant]);
  if (tenant === undefined) return;
  if (step.verb === "erase") {
    tenants.delete(step.tenant);
    return erase(tx, workspaceId, step.tenant);
  }
  if (step.verb === "apply" && !tenant.connections.has(step.account)) {
    tenant.connections.set(step.account, await connect(tx, workspaceId, step));
  }
  const connection = tenant.connections.get(step.account);
  if (connection === undefined) return;
  switch (step.verb) {
    case "apply":
    case "vanish": {
      const vanish = step.verb === "vanish";
      await read(tx, workspaceId, step, connection.id, at, vanish);
      for (const id of step.ids) {
        if (vanish) tenant.customers.delete(`${step.account} ${id}`);
        else tenant.customers.set(`${step.account} ${id}`, step.text);
      }
      return;
    }
    case "put":
      return;
    case "pause":
    case "resume":
    case "disconnect":
      await app.withWorkspace(workspaceId, () =>
        changeStatus(
          tx,
          { clock, sealer: PLAIN },
          { workspaceId, connectionId: connection.id, event: step.verb as "pause" },
        ),
      );
      if (step.verb === "disconnect") tenant.connections.delete(step.account);
      else connection.status = step.verb === "pause" ? "paused" : "active";
  }
}

/** All that can be asked about the tenants, by the host's ids, against the maps. */
async function compare(tx: Tx, model: Model, workspaceId: WorkspaceId, names: readonly string[]): Promise<void> {
  const app = within(tx, "patchbay_app");
  const expected = model.get(workspaceId) ?? new Map<string, Expected>();
  const { data } = await listTenants(app, { workspaceId, limit: 100 });
  expect(data.map(({ id, name }) => [id, name])).toEqual(
    [...expected].map(([id, { name }]) => [id, name]).toSorted(byFirst),
  );
  for (const [name, tenant] of [...expected].filter(([each]) => names.includes(each))) {
    const ref = await app.withWorkspace(workspaceId, () => tenantRef(tx, { workspaceId, id: name }));
    const filter = {
      workspaceId,
      tenant: ref,
      model: "customer",
      limit: 100,
      includeDeleted: false,
      withRaw: false,
    } as const;
    const { data: records } = await listRecords({ ...app, vault: NO_VAULT }, filter);
    const found = records.map((record) => {
      const { providerAccountId, remoteId, name: customer } = record as unknown as Record<string, string>;
      return [`${providerAccountId} ${remoteId}`, customer];
    });
    expect(found.toSorted(byFirst)).toEqual([...tenant.customers].toSorted(byFirst));
    const page = await app.withWorkspace(workspaceId, () =>
      listConnections(tx, { workspaceId, tenantUid: ref.uid, limit: 100, withoutEnded: true }),
    );
    expect(
      page.rows.map(({ connection }) => [connection.accountId, connection.id, connection.status]).toSorted(byFirst),
    ).toEqual([...tenant.connections].map(([account, { id, status }]) => [account, id, status]).toSorted(byFirst));
  }
}

/** What is in the tables, against the maps: another witness than the verbs. */
async function compareTables(tx: Tx, model: Model, workspaceId: WorkspaceId): Promise<void> {
  interface Row extends Record<string, unknown> {
    id: string;
    name: string;
    connections: [string, string, string][];
    customers: [string, string][];
  }
  const rows = await within(tx, "patchbay_worker").withWorkspace(workspaceId, () =>
    tx.execute<Row>(sql`
      select t.external_id as id, t.name, (
        select coalesce(json_agg(json_build_array(account_id, id, status) order by account_id), '[]') from connections c
        where c.tenant_uid = t.uid and c.ended_at is null
      ) as connections, (
        select coalesce(json_agg(json_build_array(account_id || ' ' || remote_id, data->>'name') order by account_id, remote_id), '[]')
        from records r where r.tenant_uid = t.uid and not r.deleted
      ) as customers
      from tenants t where t.erased_at is null order by t.external_id`),
  );
  const expected = [...(model.get(workspaceId) ?? [])].toSorted(byFirst).map(([id, tenant]) => ({
    id,
    name: tenant.name,
    connections: [...tenant.connections]
      .map(([account, connection]) => [account, connection.id, connection.status])
      .toSorted(byFirst),
    customers: [...tenant.customers].toSorted(byFirst),
  }));
  expect([...rows]).toEqual(expected);
}

async function connect(tx: Tx, workspaceId: WorkspaceId, step: Step): Promise<{ id: ConnectionId; status: "active" }> {
  const app = within(tx, "patchbay_app");
  const ref = await app.withWorkspace(workspaceId, () => tenantRef(tx, { workspaceId, id: step.tenant }));
  const grantId = randomUUID() as GrantId;
  const facts = { provider: "shopify", accountId: step.account, mode: "test", params: {} } as const;
  await tx.insert(grants).values({
    workspaceId,
    id: grantId,
    providerAppId: randomUUID() as ProviderAppId,
    state: "active",
    createdAt: clock.now(),
    updatedAt: clock.now(),
    ...facts,
  });
  const { id } = await insertConnection(
    tx,
    { clock, sealer: PLAIN },
    {
      workspaceId,
      tenantUid: ref.uid,
      grantId,
      accountName: step.account,
      accountUrl: null,
      accountAliases: [],
      accountCurrency: "USD",
      models: ["customer"],
      grantedScopes: [],
      ...facts,
    },
  );
  return { id, status: "active" };
}

async function read(
  tx: Tx,
  workspaceId: WorkspaceId,
  step: Step,
  connectionId: ConnectionId,
  at: number,
  vanish: boolean,
): Promise<void> {
  await within(tx, "patchbay_worker").withWorkspace(workspaceId, async () => {
    const ref = await tenantRef(tx, { workspaceId, id: step.tenant });
    const owner: RecordOwner = {
      workspaceId,
      tenantUid: ref.uid,
      tenantExternalId: step.tenant,
      connectionId,
      provider: "shopify",
      accountId: step.account,
      mode: "test",
      accountCurrency: "USD",
    };
    const now = new Date(1_000 + at * 1_000);
    await apply(
      tx,
      { clock },
      {
        owner,
        read: { startedAt: now, endedAt: now },
        objects: vanish ? [] : step.ids.map((id) => anObject(id, step.text)),
        gone: vanish ? step.ids.map((remoteId) => ({ model: "customer", remoteId, resource: "customers" })) : [],
        announce: true,
        sealer: PLAIN,
      },
    );
  });
}

/** Both phases, as the API and then a worker do them. */
async function erase(tx: Tx, workspaceId: WorkspaceId, id: string): Promise<void> {
  const app = within(tx, "patchbay_app");
  const worker = within(tx, "patchbay_worker");
  const shared = { vault: { destroyKeys: async () => 0 }, clock, log: silentLogger, wake: { poke() {} } };
  const ingest = {
    onConnectionEnded: (inner: Tx, connection: Parameters<typeof connectionEnded>[2]) =>
      connectionEnded(inner, { clock }, connection),
    removeSubscriptions: async () => {},
  };
  await eraseTenant({ ...shared, app, ingest, inboxRetentionDays: 30, backupRetentionDays: null }, { workspaceId, id });
  const rows = await worker.withWorkspace(workspaceId, () => tx.select().from(erasures));
  const last = rows.toSorted((a, b) => (a.id < b.id ? 1 : -1))[0];
  if (last === undefined) throw new Error("no erasure");
  expect(await removeRows({ ...shared, worker }, NO_LANE, last, FAR)).toBe(true);
  const [left] = await worker.withWorkspace(workspaceId, () =>
    tx.execute<{ count: number }>(sql`
      select (select count(*) from records where tenant_uid = ${last.tenantUid})::int
        + (select count(*) from events where tenant_uid = ${last.tenantUid})::int
        + (select count(*) from connections where tenant_uid = ${last.tenantUid})::int as count`),
  );
  expect(left?.count).toBe(0);
}

/** What a role does, within the one transaction. */
function within(tx: Tx, role: Role): RoleDatabase {
  const enter = async <Result>(workspaceId: string, tenantUid: string, work: (inner: Tx) => Promise<Result>) => {
    await tx.execute(
      sql`select set_config('role', ${role}, true), set_config('app.workspace_id', ${workspaceId}, true), set_config('app.tenant_uid', ${tenantUid}, true)`,
    );
    return work(tx);
  };
  return {
    withWorkspace: (workspaceId, work) => enter(workspaceId, "", work),
    withTenant: (workspaceId, tenantUid: TenantUid, work) => enter(workspaceId, tenantUid, work),
    withQueue: (work) => enter("", "", work),
    runAtOnce: (statement) => enter("", "", async (inner) => void (await inner.execute(statement))),
  };
}

async function aWorkspace(): Promise<WorkspaceId> {
  const { id } = await createWorkspace({ ...database.as("patchbay_app"), clock }, { name: "acme inc", mode: "test" });
  return decodeId("ws", id) ?? NOBODY;
}

function anObject(remoteId: string, name: string) {
  const nothing = {
    remoteGid: null,
    remoteUrl: null,
    remoteCreatedAt: null,
    remoteUpdatedAt: null,
    firstName: null,
    lastName: null,
    companyName: null,
    email: null,
    emailVerified: null,
    phone: null,
    locale: null,
    currency: null,
    currencyExponent: null,
    defaultAddress: null,
    note: null,
    state: null,
    stateRemote: null,
    emailMarketing: null,
    emailMarketingRemote: null,
    taxExempt: null,
    taxExemptRemote: null,
    ordersCount: null,
    totalSpentAmount: null,
  };
  const lists = { addresses: [], tags: [], taxExemptions: [], customFields: {}, unavailableFields: {} };
  const data = NormalizedCustomer.parse({ ...nothing, ...lists, remoteId, name, testMode: true });
  const record: NormalizedRecord = { model: "customer", data };
  return { resource: CUSTOMERS, raw: { id: remoteId }, sourceVersion: null, records: [record] };
}

function byFirst(a: readonly unknown[], b: readonly unknown[]): number {
  return String(a[0]) < String(b[0]) ? -1 : 1;
}

const NOBODY = "" as WorkspaceId;
/** Only what the funnel looks at. */
const CUSTOMERS = {
  name: "customers",
  model: "customer",
  projectionVersion: 1,
  completeChildren: [],
} as unknown as Resource;
/** Sealing has tests of its own. */
const PLAIN: Sealer = { keyId: randomUUID() as DataKeyId, seal: (_, bytes) => bytes };
const NO_VAULT = { open: () => Promise.reject(new Error("nothing is opened here")) } as never;
/** Alone in its transaction: nobody to be fenced off. */
const NO_LANE = {
  signal: new AbortController().signal,
  fence: async () => {},
} as unknown as ClaimedLane;
