import type { DataKeyId, ModelName, NormalizedRecord } from "@patchbay/shared";
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { aConnection } from "../../../../../test/harness/builders.ts";
import { createTestDatabase, type TestDatabase } from "../../../../../test/harness/database.ts";
import { waitFor } from "../../../../../test/harness/wait-for.ts";
import type { Resource } from "../../connectors/kit/index.ts";
import { openDatabase, type Database, type Tx } from "../../platform/db/index.ts";
import { systemClock } from "../../platform/runtime/index.ts";
import type { Sealer, Vault } from "../vault/index.ts";
import { apply, getRecord, listRecords, type RecordOwner } from "./index.ts";

let fixture: TestDatabase;
let database: Database;

beforeAll(async () => {
  fixture = await createTestDatabase();
  database = openDatabase(fixture.connection, 6);
});
afterAll(async () => {
  await database.close();
  await fixture.drop();
});

describe("listRecords", () => {
  test("shows a paging reader every record, while records before and behind its cursor change", async () => {
    const shop = await aShop();
    const names = Array.from({ length: 30 }, (_, index) => `r${index}`);
    await shop.apply({ at: 1_000, objects: names.map((name) => anObject("product", name)) });
    const seen = new Set<string>();
    let cursor: string | undefined;
    for (let page = 0; page < 40; page++) {
      const { data, hasMore, nextCursor } = await shop.list({ limit: 4, cursor });
      for (const record of data) seen.add(record.remoteId);
      cursor = nextCursor ?? undefined;
      if (!hasMore) break;
      if (page < 5) {
        const changed = [names[page], names[29 - page]].filter((name) => name !== undefined);
        await shop.apply({ at: 2_000 + page, objects: changed.map((name) => anObject("product", name, `v${page}`)) });
      }
    }
    expect([...seen].toSorted()).toEqual(names.toSorted());
  });

  test("goes on from a cursor at the end with what changed since", async () => {
    const shop = await aShop();
    await shop.apply({ at: 1_000, objects: [anObject("product", "a"), anObject("product", "b")] });
    const { nextCursor } = await shop.list({});
    await shop.apply({ at: 2_000, objects: [anObject("product", "a", "new")] });
    const later = await shop.list({ cursor: nextCursor ?? undefined });
    expect(later.data.map(({ remoteId }) => remoteId)).toEqual(["a"]);
  });

  test("lets no reader pass a change that commits later", async () => {
    const shop = await aShop();
    const written = Promise.withResolvers<void>();
    const commit = Promise.withResolvers<void>();
    const slow = shop.apply({ at: 1_000, objects: [anObject("product", "slow")] }, async () => {
      written.resolve();
      await commit.promise;
    });
    await written.promise;
    const fast = shop.apply({ at: 1_000, objects: [anObject("product", "fast")] });
    await untilBlocked();
    expect((await shop.list({})).data).toEqual([]);
    commit.resolve();
    await Promise.all([slow, fast]);
    expect((await shop.list({})).data.map(({ remoteId }) => remoteId)).toEqual(["slow", "fast"]);
  });

  test.each([
    ["no base64 of ours", "abc"],
    ["another kind of value", Buffer.from('["1",2]').toString("base64url")],
  ])("refuses a cursor that is %s", async (_, cursor) => {
    const shop = await aShop();
    await expect(shop.list({ cursor })).rejects.toMatchObject({ code: "invalid_cursor" });
  });

  test("takes bounds beyond what a column holds", async () => {
    const shop = await aShop();
    await shop.apply({ at: 1_000, objects: [anObject("product", "a")] });
    expect((await shop.list({ changedAfterSeq: "9".repeat(19) })).data).toEqual([]);
    expect((await shop.list({ updatedAfter: "0000-01-01T00:00:00Z" })).data).toEqual([]);
  });
});

describe("getRecord", () => {
  test("gives the live one of several accounts' records with one remote id", async () => {
    const shop = await aShop();
    const other = await aShop({
      workspaceId: shop.owner.workspaceId,
      tenantUid: shop.owner.tenantUid,
      accountId: "other",
    });
    await shop.apply({ at: 1_000, objects: [anObject("product", "a", "gone")] });
    await shop.apply({ at: 2_000, gone: [{ model: "product", remoteId: "a", resource: "products" }] });
    await other.apply({ at: 1_500, objects: [anObject("product", "a", "live")] });
    const found = await getRecord(deps(), {
      workspaceId: shop.owner.workspaceId,
      tenant: { uid: shop.owner.tenantUid, externalId: "acme" },
      model: "product",
      withRaw: false,
      id: "shopify:a",
    });
    expect(found).toMatchObject({ remoteWasDeleted: false, providerAccountId: "other" });
  });
});

describe("children", () => {
  const product = (...variants: string[]) => anObject("product", "p", "v", variants);
  const gone = [{ model: "product", remoteId: "p", resource: "products" }] as const;

  test("are deleted with their parent, each told once", async () => {
    const shop = await aShop();
    await shop.apply({ at: 1_000, objects: [product("v1", "v2")] });
    expect(await shop.apply({ at: 2_000, gone })).toMatchObject({ events: 3 });
    expect(await shop.apply({ at: 3_000, gone })).toMatchObject({ events: 0 });
    expect(await shop.alive()).toEqual([]);
  });

  test("are deleted when a later complete answer lacks them, and live when an earlier one does", async () => {
    const shop = await aShop();
    await shop.apply({ at: 2_000, objects: [product("v1", "v2")] });
    await shop.apply({ at: 1_000, objects: [product("v1")] });
    expect(await shop.alive()).toEqual(["p", "v1", "v2"]);
    await shop.apply({ at: 3_000, objects: [product("v2")] });
    expect(await shop.alive()).toEqual(["p", "v2"]);
  });

  test("that another transaction adds while the parent is being deleted are deleted too", async () => {
    const shop = await aShop();
    await shop.apply({ at: 1_000, objects: [product("v1")] });
    const written = Promise.withResolvers<void>();
    const commit = Promise.withResolvers<void>();
    const adding = shop.apply({ at: 2_000, objects: [product("v1", "v2")] }, async () => {
      written.resolve();
      await commit.promise;
    });
    await written.promise;
    const deleting = shop.apply({ at: 3_000, gone });
    await untilBlocked();
    commit.resolve();
    await Promise.all([adding, deleting]);
    expect(await shop.alive()).toEqual([]);
  });

  test("are kept when the parent's absence was read before them", async () => {
    const shop = await aShop();
    await shop.apply({ at: 2_000, objects: [product("v1")] });
    await shop.apply({ at: 1_000, gone });
    expect(await shop.alive()).toEqual(["p", "v1"]);
  });
});

interface Read {
  readonly at: number;
  readonly objects?: readonly (readonly NormalizedRecord[])[];
  readonly gone?: Parameters<typeof apply>[2]["gone"];
}

async function aShop(overrides: Parameters<typeof aConnection>[1] = {}) {
  const rows = await aConnection(fixture.sql, overrides);
  const owner: RecordOwner = { ...rows, mode: "test", accountCurrency: "USD" };
  const { workspaceId, tenantUid } = owner;
  return {
    owner,
    apply: (read: Read, beforeCommit: (tx: Tx) => Promise<void> = async () => {}) =>
      database.as("patchbay_worker").withWorkspace(workspaceId, async (tx) => {
        const result = await apply(
          tx,
          { clock: systemClock },
          {
            owner,
            read: { startedAt: new Date(read.at), endedAt: new Date(read.at) },
            objects: (read.objects ?? []).map((records) => ({
              resource: PRODUCTS,
              raw: {},
              sourceVersion: null,
              records,
            })),
            gone: read.gone ?? [],
            announce: true,
            sealer: PLAIN,
          },
        );
        await beforeCommit(tx);
        return result;
      }),
    list: (query: Partial<Parameters<typeof listRecords>[1]>) =>
      listRecords(deps(), {
        workspaceId,
        tenant: { uid: tenantUid, externalId: "acme" },
        model: "product",
        limit: 50,
        includeDeleted: false,
        withRaw: false,
        ...query,
      }),
    async alive(): Promise<string[]> {
      const found = await fixture.sql<{ remote_id: string }[]>`
        select remote_id from records where tenant_uid = ${tenantUid} and not deleted order by remote_id`;
      return found.map((row) => row.remote_id);
    },
  };
}

function deps() {
  // Nothing here asks for raw bodies, which only the vault could open.
  return { withWorkspace: database.as("patchbay_app").withWorkspace, vault: {} as Vault };
}

/** A product with its variants. The funnel looks at remote ids and content only. */
function anObject(model: ModelName, remoteId: string, title = "v", variants: readonly string[] = []) {
  const record = (of: ModelName, id: string) =>
    ({ model: of, data: { remoteId: id, remoteUpdatedAt: null, title } }) as unknown as NormalizedRecord;
  return [record(model, remoteId), ...variants.map((id) => record("variant", id))];
}

async function untilBlocked(): Promise<void> {
  await waitFor(
    async () => {
      const rows = await fixture.sql`
        select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
      return rows.length > 0;
    },
    { what: "a transaction that waits" },
  );
}

/** Only what the funnel looks at. */
const PRODUCTS = {
  name: "products",
  model: "product",
  projectionVersion: 1,
  completeChildren: ["variant"],
} as unknown as Resource;

/** Sealing has tests of its own. */
const PLAIN: Sealer = { keyId: randomUUID() as DataKeyId, seal: (_, bytes) => bytes };
