import type { SourceId, WorkspaceId } from "@patchbay/shared";
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createIngestWorld, type IngestWorld } from "../../../../../../test/harness/ingest-world.ts";
import { dropOldInboxPartitions } from "../../../platform/db/index.ts";
import { createSource } from "../sources/create-source.ts";

const DAY_MS = 86_400_000;
const RETENTION_DAYS = 30;

let world: IngestWorld;
let source: { readonly workspaceId: WorkspaceId; readonly sourceId: SourceId; readonly shop: string };

beforeAll(async () => {
  world = await createIngestWorld({ orders: 5, products: 12, customers: 5 });
});
beforeEach(async () => {
  await dropOld();
  const connection = await world.connect();
  const sourceId = await world.deps.app.withWorkspace(connection.workspaceId, (tx) =>
    createSource(tx, { ...connection, now: new Date() }),
  );
  source = { workspaceId: connection.workspaceId, sourceId, shop: connection.shop };
});
afterAll(() => world.close());

describe("keys of raw bodies", () => {
  test("are destroyed once their day is dropped and nobody can hold them, which is entered once", async () => {
    await deliver(-40);
    await deliver(0);
    await dropOld();
    expect(await retire()).toBe(0);
    expect(await states()).toEqual({ [day(-40)]: ["decrypt_only"], [day(0)]: ["active"] });
    expect(await retire()).toBe(0);
    await passHalfAnHour();
    expect(await retire()).toBe(1);
    expect(await states()).toEqual({ [day(-40)]: ["destroyed"], [day(0)]: ["active"] });
    expect(await retire()).toBe(0);
    expect(await entries()).toEqual([{ keys: 1, before: day(-7) }]);
    const [row] = await world.sql`
      select length(wrapped) as bytes from data_keys where workspace_id = ${source.workspaceId} and state = 'destroyed'`;
    expect(row).toEqual({ bytes: 0 });
  });

  test("stay while their day is stored, however old it is: a process may die between drop and destruction", async () => {
    const id = await deliver(-40);
    expect(await retire()).toBe(0);
    await passHalfAnHour();
    expect(await retire()).toBe(0);
    expect(await states()).toEqual({ [day(-40)]: ["active"] });
    const raw = await world.ingest.getInboxRaw({ workspaceId: source.workspaceId, inboxId: id });
    expect(Buffer.from(raw.body, "base64").toString()).toBe("{}");
    // Here one died; another comes.
    await dropOld();
    await retire();
    await passHalfAnHour();
    expect(await retire()).toBe(1);
  });

  test("stay when something came for their day once more: what was answered 200 can be read", async () => {
    await deliver(-40);
    await dropOld();
    await retire();
    // A process whose clock went back still holds the old key, and its day is opened once more.
    const id = await deliver(-40);
    await passHalfAnHour();
    expect(await retire()).toBe(0);
    const raw = await world.ingest.getInboxRaw({ workspaceId: source.workspaceId, inboxId: id });
    expect(Buffer.from(raw.body, "base64").toString()).toBe("{}");
    await dropOld();
    expect(await retire()).toBe(1);
  });

  test("of the last seven days stay, even of a day without a partition", async () => {
    await deliver(-6);
    await deliver(-8);
    for (const days of [-6, -8]) await world.sql.unsafe(`drop table inbox_${day(days).replaceAll("-", "")}`);
    await retire();
    await passHalfAnHour();
    expect(await retire()).toBe(1);
    expect(await states()).toEqual({ [day(-6)]: ["active"], [day(-8)]: ["destroyed"] });
  });

  test("are destroyed all, however many, and others' keys are not touched", async () => {
    await deliver(-40);
    await dropOld();
    await world.sql`
      insert into data_keys (workspace_id, id, tenant_uid, purpose, scope, state, workspace_key_id, wrapped, key_check, created_at)
      select workspace_id, gen_random_uuid(), tenant_uid, purpose, gen_random_uuid() || ':2026-01-02', state, workspace_key_id, wrapped, key_check, created_at
      from data_keys, generate_series(1, 1100) where workspace_id = ${source.workspaceId} and purpose = 'raw'`;
    const others = () =>
      world.sql`select count(*) from data_keys
                where (workspace_id <> ${source.workspaceId} or purpose not in ('raw', 'audit')) and state = 'active'`;
    const before = await others();
    await retire();
    await passHalfAnHour();
    expect(await retire()).toBe(1_101);
    expect(await others()).toEqual(before);
  });

  test("leave no row behind a day later", async () => {
    await deliver(-40);
    await dropOld();
    await retire();
    await passHalfAnHour();
    await retire();
    expect(await states()).toEqual({ [day(-40)]: ["destroyed"] });
    await world.sql`update data_keys set destroyed_at = destroyed_at - interval '25 hours' where workspace_id = ${source.workspaceId}`;
    await retire();
    expect(await states()).toEqual({});
  });
});

function retire(): Promise<number> {
  return world.ingest.retireRawKeys(source.workspaceId);
}

function dropOld(): Promise<number> {
  const asMaintenance = world.database.as("patchbay_maintenance").withQueue;
  return dropOldInboxPartitions({ asMaintenance, clock: world.deps.clock }, RETENTION_DAYS);
}

/** Keys that are old have been so for longer. */
async function passHalfAnHour(): Promise<void> {
  await world.sql`
    update data_keys set decrypt_only_since = decrypt_only_since - interval '31 minutes'
    where workspace_id = ${source.workspaceId} and state = 'decrypt_only'`;
}

async function deliver(days: number) {
  const receivedAt = new Date(Date.now() + days * DAY_MS);
  const headers = world.signed("orders/updated", source.shop, "{}", randomUUID());
  await world.ingest.accept({ ...source, provider: "shopify", headers, rawBody: Buffer.from("{}"), receivedAt });
  const [row] = await world.sql`
    select id from inbox where workspace_id = ${source.workspaceId} and received_at = ${receivedAt}`;
  return row?.["id"];
}

async function states(): Promise<Record<string, readonly string[]>> {
  const rows = await world.sql<{ day: string; states: string[] }[]>`
    select right(scope, 10) as day, array_agg(state order by state) as states from data_keys
    where workspace_id = ${source.workspaceId} and purpose = 'raw' group by 1 order by 1`;
  return Object.fromEntries(rows.map((row) => [row.day, row.states]));
}

async function entries(): Promise<readonly unknown[]> {
  const rows = await world.sql`
    select details from audit_entries where workspace_id = ${source.workspaceId} and action = 'inbox.keys_destroyed'`;
  return rows.map((row) => row["details"]);
}

function day(days: number): string {
  return new Date(Date.now() + days * DAY_MS).toISOString().slice(0, 10);
}
