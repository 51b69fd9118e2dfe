import { decodeId, type TenantUid, type WorkspaceId } from "@patchbay/shared";
import { createSecretKey, randomBytes, randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../../../../test/harness/database.ts";
import { NIL_UUID, openDatabase, type Database } from "../../platform/db/index.ts";
import { systemClock } from "../../platform/runtime/index.ts";
import { createWorkspace } from "../workspaces/index.ts";
import { checkKeys } from "./check-keys.ts";
import { KeyDestroyedError, type DataKeySpec } from "./data-keys.ts";
import type { Place } from "./envelope.ts";
import { keyCheck } from "./key-check.ts";
import { VaultKeyError } from "./key-provider.ts";
import type { Keys } from "./keys.ts";
import { openKeys, openLocalKeys } from "./open-keys.ts";
import { pae } from "./pae.ts";
import { createVault } from "./vault.ts";
import { sealXaes } from "./xaes.ts";

const PLACE: Place = { table: "records", rowId: "row", column: "raw", rowVersion: 1 };
const PLAIN = Buffer.from("what the provider sent");

let db: TestDatabase;
let database: Database;
let folder = "";
let keys: Keys;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "patchbay-vault-"));
  keys = await someKeys();
  db = await createTestDatabase();
  database = openDatabase(db.connection, 5);
});
afterAll(async () => {
  await database.close();
  await db.drop();
  await rm(folder, { recursive: true, force: true });
});

describe("the vault", () => {
  test("opens in another process what one sealed", async () => {
    const spec = await aSpec();
    const sealed = (await aVault().sealer(spec)).seal(PLACE, PLAIN);
    expect(await aVault().open(spec.workspaceId, PLACE, sealed)).toEqual(PLAIN);
  });

  test("makes one key however many processes ask at once", async () => {
    const spec = await aSpec();
    const sealers = await Promise.all(Array.from({ length: 12 }, () => aVault().sealer(spec)));
    expect(new Set(sealers.map((sealer) => sealer.keyId)).size).toBe(1);
    const rows = await db.sql`select 1 from workspace_keys where workspace_id = ${spec.workspaceId}`;
    expect(rows).toHaveLength(1);
  });

  test("keeps tenants, purposes and scopes under keys of their own", async () => {
    const spec = await aSpec();
    const vault = aVault();
    const specs: DataKeySpec[] = [
      spec,
      { ...spec, tenantUid: randomUUID() as TenantUid },
      { ...spec, tenantUid: NIL_UUID },
      { ...spec, purpose: "credential" },
      { ...spec, scope: "a" },
    ];
    const ids = await Promise.all(specs.map(async (one) => (await vault.sealer(one)).keyId));
    expect(new Set(ids).size).toBe(specs.length);
  });

  test("does not open a key's row that was handed to another tenant", async () => {
    const spec = await aSpec();
    const sealed = (await aVault().sealer(spec)).seal(PLACE, PLAIN);
    await db.sql`update data_keys set tenant_uid = ${randomUUID()} where workspace_id = ${spec.workspaceId}`;
    await expect(aVault().open(spec.workspaceId, PLACE, sealed)).rejects.toThrow();
  });

  test("does not find a value's key from another workspace", async () => {
    const spec = await aSpec();
    const sealed = (await aVault().sealer(spec)).seal(PLACE, PLAIN);
    const other = await aSpec();
    await expect(aVault().open(other.workspaceId, PLACE, sealed)).rejects.toThrow("no such data key");
  });

  test("opens many values with one look at the database", async () => {
    const spec = await aSpec();
    const sealing = aVault();
    const sealers = await Promise.all(["a", "b", "c"].map((scope) => sealing.sealer({ ...spec, scope })));
    const sealed = sealers.map((sealer) => sealer.seal(PLACE, PLAIN));
    const open = await aVault().opener(
      spec.workspaceId,
      sealers.map((sealer) => sealer.keyId),
    );
    expect(sealed.map((value) => Buffer.from(open(PLACE, value)).toString())).toEqual(
      sealed.map(() => PLAIN.toString()),
    );
  });

  test("gives nothing back once the key is destroyed", async () => {
    const spec = await aSpec();
    const vault = aVault();
    const sealed = (await vault.sealer(spec)).seal(PLACE, PLAIN);
    const { workspaceId, purpose } = spec;
    const count = await as().withWorkspace(workspaceId, (tx) => vault.destroyKeys(tx, { workspaceId, purpose }));
    expect(count).toBe(1);
    await expect(vault.open(workspaceId, PLACE, sealed)).rejects.toThrow(KeyDestroyedError);
    await expect(aVault().open(workspaceId, PLACE, sealed)).rejects.toThrow(KeyDestroyedError);
    const [row] = await db.sql`select wrapped from data_keys where workspace_id = ${workspaceId}`;
    expect(row?.["wrapped"]).toHaveLength(0);
  });

  test("refuses keys with any bit of their wrapping changed", async () => {
    const spec = await aSpec();
    const sealed = (await aVault().sealer(spec)).seal(PLACE, PLAIN);
    for (const table of ["data_keys", "workspace_keys"]) {
      const mine = db.sql`where workspace_id = ${spec.workspaceId}`;
      await db.sql`update ${db.sql(table)} set wrapped = set_bit(wrapped, 7, 1 - get_bit(wrapped, 7)) ${mine}`;
      await expect(aVault().open(spec.workspaceId, PLACE, sealed)).rejects.toThrow();
      await db.sql`update ${db.sql(table)} set wrapped = set_bit(wrapped, 7, 1 - get_bit(wrapped, 7)) ${mine}`;
    }
    expect(await aVault().open(spec.workspaceId, PLACE, sealed)).toEqual(PLAIN);
  });
});

describe("checkKeys", () => {
  test("passes with the right key, again and again", async () => {
    await aVault().sealer(await aSpec());
    await checkKeys(deps());
    await checkKeys(deps());
    expect(await db.sql`select 1 from vault_canaries`).toHaveLength(1);
  });

  test("stops a start with a wrong key before anything is written", async () => {
    await checkKeys(deps());
    const before = await counts();
    const wrong = await someKeys();
    await expect(checkKeys({ ...deps(), keys: wrong })).rejects.toThrow(VaultKeyError);
    await expect(checkKeys({ ...deps(), keys: wrong })).rejects.toMatchObject({ exitCode: 78 });
    expect(await counts()).toEqual(before);
  });

  test("stops a start with a key file that lacks the version in use", async () => {
    const other = await someKeys("9");
    await expect(checkKeys({ ...deps(), keys: other })).rejects.toThrow("needs version 1");
  });

  test("lets one of two first starts pass that have different keys of one name", async () => {
    await forgetAll();
    const starts = [checkKeys(deps()), checkKeys({ ...deps(), keys: await someKeys() })];
    const ended = (await Promise.allSettled(starts)).map((start) => start.status);
    expect(ended.toSorted()).toEqual(["fulfilled", "rejected"]);
    await forgetAll();
  });

  test("passes on a database of before keys were bound to a deployment, and binds it", async () => {
    await forgetAll();
    const [secret, nonce, key] = [randomBytes(32), randomBytes(24), randomBytes(32)];
    const bound = pae(["pb.kek1", "old", "1", "canary", NIL_UUID, "old"]);
    const wrapped = Buffer.concat([nonce, sealXaes(createSecretKey(secret), nonce, key, bound)]);
    await db.sql`insert into vault_canaries (kek_version, provider, wrapped, key_check, created_at)
      values ('old', 'local', ${wrapped}, ${Buffer.from(keyCheck(createSecretKey(key)))}, now())`;
    const file = join(folder, "old");
    await writeFile(file, `pbk1:old:${secret.toString("base64")}\n`, { mode: 0o400 });
    const under = (deployment: string) => openKeys({ deployment, providers: [{ id: "local", file }] });

    await checkKeys({ ...deps(), keys: await under("production") });
    await checkKeys({ ...deps(), keys: await under("production") });
    await expect(checkKeys({ ...deps(), keys: await under("staging") })).rejects.toThrow("PATCHBAY_DEPLOYMENT");
    await forgetAll();
  });

  test("a process with a wrong key cannot make data keys in a workspace that has one", async () => {
    const spec = await aSpec();
    await aVault().sealer(spec);
    const wrong = createVault({ withWorkspace: as().withWorkspace, keys: await someKeys(), clock: systemClock });
    await expect(wrong.sealer({ ...spec, scope: "new" })).rejects.toThrow();
    expect(await db.sql`select 1 from data_keys where workspace_id = ${spec.workspaceId}`).toHaveLength(1);
  });
});

function as() {
  return database.as("patchbay_worker");
}

function aVault() {
  return createVault({ withWorkspace: as().withWorkspace, keys, clock: systemClock });
}

function deps() {
  return { database: as(), keys, clock: systemClock };
}

async function aSpec(): Promise<DataKeySpec & { readonly workspaceId: WorkspaceId }> {
  const made = await createWorkspace(
    { withWorkspace: as().withWorkspace, clock: systemClock },
    { name: "A", mode: "test" },
  );
  const workspaceId = decodeId("ws", made.id);
  if (workspaceId === null) throw new Error("no workspace id");
  return { workspaceId, tenantUid: randomUUID() as TenantUid, purpose: "payload" };
}

async function someKeys(version = "1"): Promise<Keys> {
  const path = join(folder, randomBytes(4).toString("hex"));
  await writeFile(path, `pbk1:${version}:${randomBytes(32).toString("base64")}\n`, { mode: 0o400 });
  return openLocalKeys(path);
}

/** As on a new database. */
async function forgetAll(): Promise<void> {
  await db.sql`truncate vault_canaries, workspace_keys, data_keys, queue.workspaces`;
}

async function counts() {
  return db.sql`select (select count(*) from vault_canaries) as canaries, (select count(*) from workspace_keys) as keys`;
}
