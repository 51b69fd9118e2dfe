import type { TenantUid, WorkspaceId } from "@patchbay/shared";
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { NIL_UUID } from "../../../platform/db/index.ts";
import { waitFor } from "../../../../../../test/harness/wait-for.ts";
import type { Purpose } from "../data-keys.ts";
import { keyIdOf } from "../envelope.ts";
import type { Keys } from "../keys.ts";
import { createRotationKit, type RotationKit } from "../testing/rotation-kit.ts";
import type { Sealer, Vault } from "../vault.ts";
import { GRACE_MS, startRotation, workRotations } from "./index.ts";

/** `pnpm test:long` does more. */
const ROTATIONS = process.env["PATCHBAY_TEST_LONG"] === undefined ? 4 : 60;

let kit: RotationKit;
let workspaceId: WorkspaceId;

beforeAll(async () => {
  kit = await createRotationKit();
});
afterAll(() => kit.close());
beforeEach(async () => {
  workspaceId = await kit.aWorkspace();
});

describe("rotating data keys", () => {
  test("seals every value anew and then destroys the old keys", async () => {
    const tenantUid = kit.aTenant();
    const events = await addEvents(kit.aVault(), tenantUid, 250);
    const secret = await addSecret(kit.aVault());
    expect(await rotate()).toBe(2);
    const states = await keyStates();
    expect(states).toMatchObject({ active: 2, decrypt_only: 2 });

    kit.advance(GRACE_MS + 1);
    const { ended } = await workRotations(kit.deps(), workspaceId);
    expect(ended).toMatchObject([{ state: "done", retired: 2, renewed: 251, destroyed: 2 }]);
    expect(await keyStates()).toMatchObject({ active: 2, destroyed: 2 });
    await expectEventsOpen(events);
    expect(await openSecret(secret)).toBe("secret");
  });

  test("keeps old keys for what processes that remember them still write, and finds it later", async () => {
    const tenantUid = kit.aTenant();
    const lagging = kit.aVault();
    const before = await addEvents(lagging, tenantUid, 3);
    await rotate();
    const late = await addEvents(lagging, tenantUid, 3);
    expect(await keysOfEvents()).toHaveLength(2);
    await expectEventsOpen([...before, ...late]);

    kit.advance(GRACE_MS + 1);
    const first = await workRotations(kit.deps(), workspaceId);
    expect(first.ended).toEqual([]);
    kit.advance(2 * GRACE_MS);
    expect((await workRotations(kit.deps(), workspaceId)).ended).toMatchObject([{ renewed: 6, destroyed: 1 }]);
    expect(await keysOfEvents()).toHaveLength(1);
    await expectEventsOpen([...before, ...late]);
  });

  test("keeps an old key that nothing was found under until nobody can hold it any longer", async () => {
    const lagging = kit.aVault();
    const tenantUid = kit.aTenant();
    await lagging.sealer({ workspaceId, tenantUid, purpose: "payload" });
    await rotate();
    expect(await keyStates()).toEqual({ decrypt_only: 1 });
    await expectEventsOpen(await addEvents(lagging, tenantUid, 1));
  });

  test("destroys no key before its grace is over, not even when a later rotation finds nothing under it", async () => {
    const tenantUid = kit.aTenant();
    for (let rotation = 1; rotation <= 2; rotation++) {
      await kit.aVault().sealer({ workspaceId, tenantUid, purpose: "payload" });
      expect(await rotate()).toBe(1);
      expect(await keyStates()).toEqual({ decrypt_only: rotation });
      expect(await openRotations()).toMatchObject([{ state: "waiting", graceMs: GRACE_MS }]);
      kit.advance(GRACE_MS - 60_000);
      expect((await workRotations(kit.deps(), workspaceId)).ended).toEqual([]);
    }
    kit.advance(60_001);
    expect((await workRotations(kit.deps(), workspaceId)).ended).toMatchObject([{ renewed: 0, destroyed: 2 }]);
  });

  test("never destroys a key while a value under it cannot be opened", async () => {
    const tenantUid = kit.aTenant();
    const [damaged] = await addEvents(kit.aVault(), tenantUid, 1);
    await kit.sql`update events set body = set_bit(body, 400, 1 - get_bit(body, 400)) where id = ${damaged ?? ""}`;
    await rotate();
    for (let pass = 0; pass < 3; pass++) {
      kit.advance(2 * GRACE_MS + 1);
      expect((await workRotations(kit.deps(), workspaceId)).ended).toEqual([]);
    }
    await kit.sql`update events set body = set_bit(body, 400, 1 - get_bit(body, 400)) where id = ${damaged ?? ""}`;
    kit.advance(2 * GRACE_MS + 1);
    await workRotations(kit.deps(), workspaceId);
    kit.advance(2 * GRACE_MS + 1);
    expect((await workRotations(kit.deps(), workspaceId)).ended).toMatchObject([{ destroyed: 1 }]);
    await expectEventsOpen([damaged ?? ""]);
  });

  test("takes one tenant's keys alone when asked", async () => {
    const [one, other] = [kit.aTenant(), kit.aTenant()];
    await addEvents(kit.aVault(), one, 1);
    await addEvents(kit.aVault(), other, 1);
    expect(await startRotation(kit.deps(), { workspaceId, kind: "data", tenantUid: one })).toBe(1);
    const rows =
      await kit.sql`select tenant_uid from data_keys where workspace_id = ${workspaceId} and state = 'active'`;
    expect(rows).toEqual([{ tenant_uid: other }]);
  });

  test("leaves raw bodies and the audit log as they are", async () => {
    const vault = kit.aVault();
    for (const purpose of ["raw", "audit"] as const satisfies Purpose[]) {
      await vault.sealer({ workspaceId, tenantUid: NIL_UUID, purpose });
    }
    expect(await rotate()).toBe(0);
    expect(await kit.sql`select 1 from key_rotations where workspace_id = ${workspaceId}`).toEqual([]);
  });

  test("started again while under way, it goes through everything once more", async () => {
    const tenantUid = kit.aTenant();
    const events = await addEvents(kit.aVault(), tenantUid, 5);
    await rotate();
    kit.advance(GRACE_MS / 2);
    await rotate();
    kit.advance(GRACE_MS + 1);
    const { ended } = await workRotations(kit.deps(), workspaceId);
    expect(ended).toMatchObject([{ retired: 2, renewed: 10, destroyed: 2 }]);
    await expectEventsOpen(events);
  });

  test("goes on where a killed process left it", async () => {
    const events = await addEvents(kit.aVault(), kit.aTenant(), 450);
    await startRotation(kit.deps(), { workspaceId, kind: "data" });
    const positions: unknown[] = [];
    const killed = workRotations(kit.deps(), workspaceId, (row) => {
      positions.push(row.position);
      if (row.position?.column === "events.body" && row.renewed === 200) throw new Error("killed");
    });
    await expect(killed).rejects.toThrow("killed");
    const [row] = await kit.sql`select position, renewed from key_rotations where workspace_id = ${workspaceId}`;
    expect(row).toMatchObject({ position: positions.at(-1), renewed: "200" });
    await workRotations(kit.deps(), workspaceId);
    expect(await keysOfEvents()).toHaveLength(1);
    await expectEventsOpen(events);
  });
});

describe("rotating workspace keys", () => {
  test("wraps all data keys anew, those of raw bodies and the audit log included, and destroys the old one", async () => {
    const vault = kit.aVault();
    const purposes = ["payload", "raw", "audit", "secret", "credential"] as const satisfies Purpose[];
    const sealers: Sealer[] = [];
    for (const purpose of purposes) sealers.push(await vault.sealer({ workspaceId, tenantUid: NIL_UUID, purpose }));
    const place = { table: "inbox", rowId: "x", column: "body", rowVersion: 1 };
    const values = sealers.map((sealer) => sealer.seal(place, Buffer.from("body")));
    expect(await startRotation(kit.deps(), { workspaceId, kind: "workspace_key" })).toBe(1);
    await workRotations(kit.deps(), workspaceId);
    kit.advance(GRACE_MS + 1);
    const { ended } = await workRotations(kit.deps(), workspaceId);
    expect(ended).toMatchObject([{ kind: "workspace_key", renewed: purposes.length, destroyed: 1 }]);
    const rows = await kit.sql`select state, length(wrapped) > 0 as kept from workspace_keys
                               where workspace_id = ${workspaceId} order by created_at`;
    expect(rows).toEqual([
      { state: "destroyed", kept: false },
      { state: "active", kept: true },
    ]);
    for (const value of values) expect(await kit.aVault().open(workspaceId, place, value)).toEqual(Buffer.from("body"));
  });
});

describe("a rotation and the destruction of keys at the same time", () => {
  test("no successor is made for a key that was destroyed after its values were read", async () => {
    const tenantUid = kit.aTenant();
    await addEvents(kit.aVault(), tenantUid, 3);
    await startRotation(kit.deps(), { workspaceId, kind: "data" });
    // The first look at the workspace's key opens the old data key, the second is about to wrap its successor.
    let looks = 0;
    const { keys } = kit.deps();
    const unwrap: Keys["unwrap"] = async (held, context) => {
      looks += 1;
      if (looks === 2) await destroy(tenantUid);
      return keys.unwrap(held, context);
    };
    const worked = await workRotations(kit.deps({ ...keys, unwrap }), workspaceId);
    expect(looks).toBe(2);
    expect(worked).toMatchObject({ ended: [], stuck: [] });
    expect(await keyStates()).toEqual({ destroyed: 1 });
    expect(
      await kit.sql`select 1 from events e join data_keys k on k.id = e.body_key_id
                         where e.workspace_id = ${workspaceId} and k.state <> 'destroyed'`,
    ).toEqual([]);
  });

  test("a successor that is being made is destroyed with the key that it follows", async () => {
    const tenantUid = kit.aTenant();
    await addEvents(kit.aVault(), tenantUid, 1);
    await startRotation(kit.deps(), { workspaceId, kind: "data" });
    const { destroying } = await kit.sql.begin(async (tx) => {
      // As `activeDataKey` does for a rotation.
      await tx`select 1 from data_keys where workspace_id = ${workspaceId} for share`;
      const erased = destroy(tenantUid);
      await waitFor(async () => {
        const [row] = await kit.sql`select count(*)::int as waiting from pg_stat_activity
                                    where datname = current_database() and wait_event_type = 'Lock'`;
        return row?.["waiting"] === 1;
      });
      await tx`insert into data_keys (workspace_id, id, tenant_uid, purpose, state, workspace_key_id, wrapped, key_check, created_at)
               select workspace_id, ${randomUUID()}, tenant_uid, purpose, 'active', workspace_key_id, wrapped, key_check, now()
               from data_keys where workspace_id = ${workspaceId}`;
      return { destroying: erased };
    });
    expect(await destroying).toBe(2);
    expect(await keyStates()).toEqual({ destroyed: 2 });
  });

  test("under many erasures at random moments no key is left to any of the tenants", async () => {
    const tenants = Array.from({ length: 20 }, () => kit.aTenant());
    for (const tenantUid of tenants) await addEvents(kit.aVault(), tenantUid, 3);
    await startRotation(kit.deps(), { workspaceId, kind: "data" });
    await Promise.all([
      workRotations(kit.deps(), workspaceId),
      workRotations(kit.deps(), workspaceId),
      ...tenants.map(destroy),
    ]);
    expect(Object.keys(await keyStates())).toEqual(["destroyed"]);
  });
});

/** As the erasure of a tenant does. */
function destroy(tenantUid: TenantUid): Promise<number> {
  return kit.worker.withWorkspace(workspaceId, (tx) => kit.aVault().destroyKeys(tx, { workspaceId, tenantUid }));
}

test("V7: rotation under concurrent writes loses no update", { timeout: 300_000 }, async () => {
  const ids = await Promise.all(Array.from({ length: 4 }, () => addCounter()));
  const stop = new AbortController();
  const written = new Map<string, number>(ids.map((id) => [id, 0]));
  const writers = ids.flatMap((id) =>
    [kit.aVault(), kit.aVault()].map((vault) => count(vault, id, written, stop.signal)),
  );
  let rotations = 0;
  while (rotations < ROTATIONS) {
    rotations += 1;
    await startRotation(kit.deps(), { workspaceId, kind: "data" });
    await startRotation(kit.deps(), { workspaceId, kind: "workspace_key" });
    await Promise.all([1, 2].map(() => workRotations(kit.deps(), workspaceId)));
  }
  stop.abort();
  await Promise.all(writers);
  for (let pass = 0; pass < 4; pass++) {
    kit.advance(2 * GRACE_MS + 1);
    await workRotations(kit.deps(), workspaceId);
  }
  const open = await kit.sql`select 1 from key_rotations where workspace_id = ${workspaceId} and state <> 'done'`;
  expect(open).toEqual([]);
  let updates = 0;
  for (const id of ids) {
    expect(await readCounter(kit.aVault(), id)).toMatchObject({ value: written.get(id) });
    updates += written.get(id) ?? 0;
  }
  expect(updates).toBeGreaterThan(100);
  process.stdout.write(`V7: ${updates} updates by ${writers.length} writers under ${rotations} rotations, 0 lost\n`);
});

function rotate(): Promise<number> {
  return startRotation(kit.deps(), { workspaceId, kind: "data" }).then(async (retired) => {
    await workRotations(kit.deps(), workspaceId);
    return retired;
  });
}

async function keyStates(): Promise<Record<string, number>> {
  const rows = await kit.sql<{ state: string; keys: number }[]>`
    select state, count(*)::int as keys from data_keys where workspace_id = ${workspaceId} group by state`;
  return Object.fromEntries(rows.map(({ state, keys }) => [state, keys]));
}

/** With the time from the start of their last pass to the next. */
async function openRotations() {
  return kit.sql`select state, (extract(epoch from next_pass_at - pass_started_at) * 1000)::int as "graceMs"
                 from key_rotations where workspace_id = ${workspaceId} and state <> 'done'`;
}

const eventPlace = (id: string) => ({ table: "events", rowId: id, column: "body", rowVersion: 1 });

async function addEvents(vault: Vault, tenantUid: TenantUid, many: number): Promise<readonly string[]> {
  const sealer = await vault.sealer({ workspaceId, tenantUid, purpose: "payload" });
  const rows = Array.from({ length: many }, () => {
    const id = randomUUID();
    return {
      workspace_id: workspaceId,
      id,
      tenant_uid: tenantUid,
      type: "order.created",
      occurred_at: new Date(),
      body: sealer.seal(eventPlace(id), Buffer.from(`body of ${id}`)),
      body_key_id: sealer.keyId,
    };
  });
  await kit.sql`insert into events ${kit.sql(rows)}`;
  return rows.map((row) => row.id);
}

async function keysOfEvents() {
  return kit.sql`select distinct body_key_id from events where workspace_id = ${workspaceId}`;
}

async function expectEventsOpen(ids: readonly string[]): Promise<void> {
  const vault = kit.aVault();
  const rows = await kit.sql<{ id: string; body: Uint8Array; body_key_id: string }[]>`
    select id, body, body_key_id from events where workspace_id = ${workspaceId}`;
  expect(rows.map((row) => row.id).toSorted()).toEqual([...ids].toSorted());
  for (const { id, body, body_key_id } of rows) {
    expect(keyIdOf(body)).toBe(body_key_id);
    expect(Buffer.from(await vault.open(workspaceId, eventPlace(id), body)).toString()).toBe(`body of ${id}`);
  }
}

const secretPlace = (key: string) => ({ table: "idempotency_keys", rowId: key, column: "response", rowVersion: 1 });

/** In a table whose rows are named by a text, and do not repeat the key's id. */
async function addSecret(vault: Vault): Promise<string> {
  const key = `key ${randomUUID()}`;
  const sealer = await vault.sealer({ workspaceId, tenantUid: NIL_UUID, purpose: "secret" });
  await kit.sql`insert into idempotency_keys (workspace_id, key, request_hash, response, created_at)
                values (${workspaceId}, ${key}, '', ${sealer.seal(secretPlace(key), Buffer.from("secret"))}, now())`;
  return key;
}

async function openSecret(key: string): Promise<string> {
  const [row] = await kit.sql<{ response: Uint8Array }[]>`select response from idempotency_keys where key = ${key}`;
  const opened = await kit.aVault().open(workspaceId, secretPlace(key), row?.response ?? Buffer.alloc(0));
  return Buffer.from(opened).toString();
}

const counterPlace = (id: string, rowVersion: number) => ({ table: "grants", rowId: id, column: "tokens", rowVersion });

async function addCounter(): Promise<string> {
  const id = randomUUID();
  const sealer = await kit.aVault().sealer(counterSpec(id));
  await kit.sql`insert into grants (workspace_id, id, provider, provider_app_id, account_id, mode, params, tokens, state, created_at, updated_at)
                values (${workspaceId}, ${id}, 'x', ${randomUUID()}, ${id}, 'test', '{}',
                        ${sealer.seal(counterPlace(id, 1), Buffer.from("0"))}, 'active', now(), now())`;
  return id;
}

function counterSpec(id: string) {
  return { workspaceId, tenantUid: NIL_UUID, purpose: "credential", scope: id } as const;
}

async function readCounter(vault: Vault, id: string) {
  const [row] = await kit.sql<{ tokens: Uint8Array; row_version: number }[]>`
    select tokens, row_version from grants where workspace_id = ${workspaceId} and id = ${id}`;
  if (row === undefined) throw new Error("no counter");
  const opened = await vault.open(workspaceId, counterPlace(id, row.row_version), row.tokens);
  return { value: Number(Buffer.from(opened).toString()), version: row.row_version };
}

/** Adds one again and again, as whoever writes a grant does: a new version, sealed for it, if nobody wrote meanwhile. */
async function count(vault: Vault, id: string, written: Map<string, number>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const sealer = await vault.sealer(counterSpec(id));
    const { value, version } = await readCounter(vault, id);
    const next = sealer.seal(counterPlace(id, version + 1), Buffer.from(String(value + 1)));
    const rows = await kit.sql`update grants set tokens = ${next}, row_version = ${version + 1}
                               where workspace_id = ${workspaceId} and id = ${id} and row_version = ${version} returning 1`;
    if (rows.length === 1) written.set(id, (written.get(id) ?? 0) + 1);
  }
}
