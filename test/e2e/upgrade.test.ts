/** A database of an early version, with two workspaces in it, is started with this one. */
import { Patchbay as Sdk } from "@patchbay/node";
import { parseConfig, prepareLocalFiles, startPatchbay, type Patchbay } from "@patchbay/backend";
import { encodeId, type WorkspaceId } from "@patchbay/shared";
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connect } from "../../packages/backend/src/platform/db/database.ts";
import { becomeOwner, knownMigrations, migrateUpTo } from "../../packages/backend/src/platform/db/migrate.ts";
import { instantOfId, newId } from "../../packages/backend/src/platform/runtime/index.ts";
import { silentLogger } from "../../packages/backend/src/platform/observability/index.ts";
import { createEmptyDatabase, type TestDatabase } from "../harness/database.ts";
import { freePort } from "../harness/free-port.ts";
import { scratchRoot } from "../harness/scratch-root.ts";

/** The last migration that every installation has. */
const EARLY = "0008";

const since = "2025-01-01T00:00:00.000Z";

let folder: string;
let database: TestDatabase;
let patchbay: Patchbay;
/** Each with the same in it. */
const workspaces = [randomUUID(), randomUUID()] as WorkspaceId[];
const clients: Sdk[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(await scratchRoot(), "upgrade-"));
  database = await createEmptyDatabase();
  await becomeEarly();
  for (const id of workspaces) await fill(id);
  const env = {
    DATABASE_URL: database.url,
    PATCHBAY_DATA_DIR: folder,
    PATCHBAY_PORT: String(await freePort()),
    PATCHBAY_LOG_LEVEL: "silent",
  };
  const config = parseConfig(env, folder);
  await prepareLocalFiles(config);
  // Which looks at isolation as well, and refuses where it is not in force.
  patchbay = await startPatchbay({ config, roles: { api: true, worker: true }, log: silentLogger });
  for (const id of workspaces) {
    const { secret } = await patchbay.createApiKey(encodeId("ws", id), { name: "upgraded" });
    clients.push(new Sdk({ apiKey: secret, baseUrl: patchbay.url }));
  }
}, 60_000);
afterAll(async () => {
  await patchbay.close();
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

test.each([0, 1])("endpoints of workspace %i want what they wanted", async (at) => {
  const endpoints = await sdkOf(at).webhookEndpoints.list().toArray({ limit: 10 });
  const byUrl = endpoints.toSorted((a, b) => (a.url < b.url ? 1 : -1));
  expect(byUrl.map(({ types, models, payload, order }) => ({ types, models, payload, order }))).toEqual([
    { types: ["order.created"], models: ["order"], payload: "full", order: "none" },
    // Empty lists let all through then; now they would let nothing through.
    { types: null, models: null, payload: "full", order: "none" },
  ]);
});

test.each([0, 1])("deliveries of workspace %i wait as they did, and can be sent again", async (at) => {
  const sdk = sdkOf(at);
  const deliveries = await sdk.deliveries.list().toArray({ limit: 10 });
  expect(new Set(deliveries.map(({ status, attempts }) => `${status} ${attempts}`))).toEqual(
    new Set(["delivered 1", "pending 2"]),
  );
  const [endpoint] = await sdk.webhookEndpoints.list().toArray({ limit: 1 });
  expect(await sdk.webhookEndpoints.previewReplay(endpoint?.id ?? "", { since })).toMatchObject({ exact: true });
});

test.each([0, 1])("the inbox of workspace %i lists what was routed and what was not", async (at) => {
  const items = await sdkOf(at).inbox.list().toArray({ limit: 10 });
  expect(items.map(({ status, topic }) => [status, topic])).toEqual([["unrouted", "orders/create"]]);
  expect(await sdkOf(at).inbox.previewReplay({ status: "unrouted", since })).toMatchObject({ matches: 1 });
});

test.each([0, 1])("sweeps begin with workspace %i", async (at) => {
  const id = workspaces[at];
  const rows = await database.sql<{ task: string }[]>`
    select distinct task from queue.due where workspace_id = ${id ?? ""} order by task`;
  expect(rows.map(({ task }) => task)).toEqual([
    "authorizations",
    "credentials",
    "fates",
    "keys",
    "runs",
    "subscriptions",
  ]);
});

function sdkOf(at: number): Sdk {
  const sdk = clients[at];
  if (sdk === undefined) throw new Error("no such workspace");
  return sdk;
}

async function becomeEarly(): Promise<void> {
  const level = knownMigrations()[Number(EARLY)]?.createdAt ?? 0;
  const client = connect(database.connection, 1);
  await becomeOwner(client, { connection: database.connection, loginPassword: "" });
  await migrateUpTo(client, level);
  // As it was done then: by the owner.
  await client.unsafe(`
    do $$ declare day date := (now() at time zone 'UTC')::date; name text := 'inbox_' || to_char(day, 'YYYYMMDD');
    begin
      execute format('create table %I partition of inbox for values from (%L) to (%L)', name, day || ' 00:00+00', day + 1 || ' 00:00+00');
      execute format('alter table %I enable row level security, force row level security', name);
    end $$`);
  await client.end();
}

async function fill(workspace: WorkspaceId): Promise<void> {
  const [tenant, plain, choosy] = Array.from({ length: 3 }, () => randomUUID());
  const inboxId = newId();
  const receivedAt = instantOfId(inboxId);
  await database.sql.begin(async (tx) => {
    // No event behind the deliveries: nobody here reads them.
    await tx`set local session_replication_role = replica`;
    await tx`insert into queue.workspaces values (${workspace}, now())`;
    await tx`insert into workspaces (id, name, mode, created_at) values (${workspace}, 'Early', 'test', now())`;
    await tx`insert into tenants (workspace_id, uid, external_id, created_at, updated_at)
      values (${workspace}, ${tenant ?? ""}, 'acme', now(), now())`;
    await tx`insert into endpoints (workspace_id, id, url, types, models, status, created_at, updated_at) values
      (${workspace}, ${plain ?? ""}, 'https://host.example/all', '{}', '{}', 'enabled', now() - interval '1 hour', now()),
      (${workspace}, ${choosy ?? ""}, 'https://host.example/some', '{order.created}', '{order}', 'enabled', now(), now())`;
    for (const [status, attempts] of [
      ["pending", 2],
      ["delivered", 1],
    ] as const) {
      await tx`insert into deliveries
        (workspace_id, id, endpoint_id, event_id, event_type, tenant_uid, position, status, attempts, next_attempt_at, created_at)
        values (${workspace}, ${randomUUID()}, ${plain ?? ""}, ${randomUUID()}, 'order.created', ${tenant ?? ""}, 1, ${status},
          ${attempts}, now() + interval '1 hour', now())`;
    }
    await tx`insert into inbox
      (workspace_id, received_at, id, source_id, provider, headers, body, body_key_id, body_bytes, body_sha256, secret_index)
      values (${workspace}, ${receivedAt}, ${inboxId}, ${randomUUID()}, 'shopify', '{}', '\\x00', ${randomUUID()}, 1, '\\x00', 0)`;
    await tx`insert into inbox_outcomes (workspace_id, inbox_id, received_at, element, status, topic, routed_at)
      values (${workspace}, ${inboxId}, ${receivedAt}, 0, 'unrouted', 'orders/create', now())`;
  });
}
