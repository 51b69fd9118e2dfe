import { NormalizedCustomer, type DataKeyId, type NormalizedRecord, type WorkspaceId } from "@patchbay/shared";
import fc from "fast-check";
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { aConnection } from "../../../../../test/harness/builders.ts";
import { createTestDatabase, type TestDatabase } from "../../../../../test/harness/database.ts";
import type { Resource } from "../../connectors/kit/index.ts";
import { openDatabase, type Database } from "../../platform/db/index.ts";
import { systemClock } from "../../platform/runtime/index.ts";
import type { Sealer } from "../vault/index.ts";
import { apply, type ApplyInput, type ApplyResult, type RecordOwner } from "./index.ts";

let fixture: TestDatabase;
let database: Database;

beforeAll(async () => {
  fixture = await createTestDatabase();
  database = openDatabase(fixture.connection, 4);
});
afterAll(async () => {
  await database.close();
  await fixture.drop();
});

describe("apply", () => {
  test("tells the host once per change, and nothing when the same read is applied again", async () => {
    const shop = await aShop();
    const read = { at: 1_000, objects: [aCustomer("1", "Ada")] };
    expect(await shop.apply(read)).toMatchObject({ events: 1 });
    expect(await shop.apply(read)).toMatchObject({ events: 0, reread: [] });
    expect(await shop.events()).toEqual(["customer.created"]);
    expect(await shop.apply({ at: 2_000, objects: [aCustomer("1", "Ada Lovelace")] })).toMatchObject({ events: 1 });
    expect(await shop.events()).toEqual(["customer.created", "customer.updated"]);
    expect(await shop.names()).toEqual({ "1": "Ada Lovelace" });
  });

  test("drops what an older read says", async () => {
    const shop = await aShop();
    await shop.apply({ at: 2_000, objects: [aCustomer("1", "new")] });
    expect(await shop.apply({ at: 1_000, objects: [aCustomer("1", "old")] })).toMatchObject({ events: 0, reread: [] });
    expect(await shop.names()).toEqual({ "1": "new" });
  });

  test("asks for another read when two overlapping reads differ", async () => {
    const shop = await aShop();
    await shop.apply({ at: 1_000, until: 1_500, objects: [aCustomer("1", "a")] });
    const result = await shop.apply({ at: 1_200, until: 1_300, objects: [aCustomer("1", "b")] });
    expect(result).toMatchObject({ events: 0, reread: [{ resource: "customers", remoteId: "1" }] });
    expect(await shop.names()).toEqual({ "1": "a" });
  });

  test("keeps a tombstone with its last content, and revives it as created", async () => {
    const shop = await aShop();
    await shop.apply({ at: 1_000, objects: [aCustomer("1", "a")] });
    await shop.apply({ at: 2_000, gone: ["1"] });
    expect(await shop.names()).toEqual({});
    await shop.apply({ at: 1_500, objects: [aCustomer("1", "late")] });
    expect(await shop.names()).toEqual({});
    await shop.apply({ at: 3_000, objects: [aCustomer("1", "back")] });
    expect(await shop.events()).toEqual(["customer.created", "customer.deleted", "customer.created"]);
  });

  test("stays silent in a first import and still counts", async () => {
    const shop = await aShop();
    const result = await shop.apply({ at: 1_000, objects: [aCustomer("1", "a")], announce: false });
    expect(result.events).toBe(0);
    expect(result.counts.get("customer")).toEqual({ created: 1, updated: 0, deleted: 0, unchanged: 0 });
    expect(await shop.events()).toEqual([]);
  });

  test("does not call a moved provider time a change, but keeps it", async () => {
    const shop = await aShop();
    await shop.apply({ at: 1_000, objects: [aCustomer("1", "a", "2026-01-01T00:00:00Z")] });
    expect(await shop.apply({ at: 2_000, objects: [aCustomer("1", "a", "2026-02-02T00:00:00Z")] })).toMatchObject({
      events: 0,
    });
    const [row] = await fixture.sql`
      select data->>'remoteUpdatedAt' as at, version from records where tenant_uid = ${shop.owner.tenantUid}`;
    expect(row).toEqual({ at: "2026-02-02T00:00:00Z", version: 1 });
  });

  test("gives every change of a tenant its own rising changeSeq, with writers in parallel", async () => {
    const shop = await aShop();
    await Promise.all(
      Array.from({ length: 8 }, (_, writer) =>
        shop.apply({
          at: 1_000 + writer,
          objects: Array.from({ length: 10 }, (_, i) => aCustomer(`${writer}-${i}`, "x")),
        }),
      ),
    );
    const rows = await fixture.sql<{ seq: string }[]>`
      select change_seq::text as seq from records where tenant_uid = ${shop.owner.tenantUid} order by change_seq`;
    expect(rows.map(({ seq }) => Number(seq))).toEqual(Array.from({ length: 80 }, (_, i) => i + 1));
  });

  test("ends in the provider's state with one event per version, whatever the order and repetition of reads", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 }),
        fc.array(fc.nat(), { maxLength: 24 }),
        async (changeTimes, schedule) => {
          const shop = await aShop();
          const times = changeTimes.toSorted((a, b) => a - b).map((time) => time * 1_000);
          // A read at t sees the newest state at t. Each state is read at least once; any read may come again, late.
          const reads = schedule.map((pick) => times[pick % times.length] ?? 0);
          const last = times.at(-1) ?? 0;
          for (const time of [...reads, last]) {
            await shop.apply({ at: time + 1, objects: [aCustomer("1", `state at ${time}`)] });
          }
          expect(await shop.names()).toEqual({ "1": `state at ${last}` });
          const versions = await fixture.sql<{ version: number }[]>`
            select record_version as version from events where tenant_uid = ${shop.owner.tenantUid} order by 1`;
          expect(versions.map(({ version }) => version)).toEqual(versions.map((_, index) => index + 1));
        },
      ),
      { numRuns: 40 },
    );
  });

  test("is invisible to another workspace", async () => {
    const shop = await aShop();
    await shop.apply({ at: 1_000, objects: [aCustomer("1", "a")] });
    const rows = await database
      .as("patchbay_app")
      .withWorkspace(randomUUID() as WorkspaceId, (tx) =>
        tx.execute("select 1 from records union all select 1 from events"),
      );
    expect(rows).toHaveLength(0);
  });
});

interface Read {
  readonly at: number;
  readonly until?: number;
  readonly objects?: readonly NormalizedRecord[];
  readonly gone?: readonly string[];
  readonly announce?: boolean;
}

async function aShop() {
  const rows = await aConnection(fixture.sql);
  const owner: RecordOwner = { ...rows, mode: "test", accountCurrency: "USD" };
  const worker = database.as("patchbay_worker");
  return {
    owner,
    apply: (read: Read): Promise<ApplyResult> =>
      worker.withWorkspace(owner.workspaceId, (tx) => apply(tx, { clock: systemClock }, toInput(owner, read))),
    async events(): Promise<string[]> {
      const found = await fixture.sql<{ type: string }[]>`
        select type from events where tenant_uid = ${owner.tenantUid} order by record_version`;
      return found.map(({ type }) => type);
    },
    async names(): Promise<Record<string, string>> {
      const found = await fixture.sql<{ remote_id: string; name: string }[]>`
        select remote_id, data->>'name' as name from records where tenant_uid = ${owner.tenantUid} and not deleted`;
      return Object.fromEntries(found.map((row) => [row.remote_id, row.name]));
    },
  };
}

function toInput(owner: RecordOwner, read: Read): ApplyInput {
  return {
    owner,
    read: { startedAt: new Date(read.at), endedAt: new Date(read.until ?? read.at) },
    objects: (read.objects ?? []).map((record) => ({
      resource: CUSTOMERS,
      raw: { id: record.data.remoteId },
      sourceVersion: null,
      records: [record],
    })),
    gone: (read.gone ?? []).map((remoteId) => ({ model: "customer", remoteId, resource: "customers" })),
    announce: read.announce ?? true,
    sealer: PLAIN,
  };
}

function aCustomer(remoteId: string, name: string, remoteUpdatedAt: string | null = null): NormalizedRecord {
  return {
    model: "customer",
    data: NormalizedCustomer.parse({
      remoteId,
      remoteGid: null,
      remoteUrl: null,
      remoteCreatedAt: null,
      remoteUpdatedAt,
      testMode: true,
      customFields: {},
      unavailableFields: {},
      name,
      firstName: null,
      lastName: null,
      companyName: null,
      email: null,
      emailVerified: null,
      phone: null,
      locale: null,
      currency: null,
      currencyExponent: null,
      addresses: [],
      defaultAddress: null,
      note: null,
      tags: [],
      state: null,
      stateRemote: null,
      emailMarketing: null,
      emailMarketingRemote: null,
      taxExempt: null,
      taxExemptRemote: null,
      taxExemptions: [],
      ordersCount: null,
      totalSpentAmount: null,
    }),
  };
}

/** Only what the funnel looks at. */
const CUSTOMERS = {
  name: "customers",
  model: "customer",
  projectionVersion: 1,
  completeChildren: [],
} as unknown as Resource;

/** Sealing has tests of its own. */
const PLAIN: Sealer = { keyId: randomUUID() as DataKeyId, seal: (_, bytes) => bytes };
