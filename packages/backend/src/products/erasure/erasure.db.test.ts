import { decodeId, encodeId, type ErasureId, type TenantUid, type WorkspaceId } from "@patchbay/shared";
import { randomBytes, randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { aConnection } from "../../../../../test/harness/builders.ts";
import { createTestDatabase, type TestDatabase } from "../../../../../test/harness/database.ts";
import { createAudit } from "../../domain/audit/index.ts";
import { createVault, openLocalKeys } from "../../domain/vault/index.ts";
import { buryTenant, holdTenant } from "../../domain/workspaces/index.ts";
import { openDatabase, type Database } from "../../platform/db/index.ts";
import type { ClaimedLane, ItemOutcome } from "../../platform/lanes/index.ts";
import { silentLogger } from "../../platform/observability/index.ts";
import { connectionEnded } from "../ingest/connection-ended.ts";
import type { ReturnedGrant } from "../connect/index.ts";
import { createErasures } from "./index.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

let fixture: TestDatabase;
let database: Database;
let folder: string;
let vault: ReturnType<typeof createVault>;
let shiftMs = 0;
const clock = { now: () => new Date(Date.now() + shiftMs) };
beforeAll(async () => {
  fixture = await createTestDatabase();
  database = openDatabase(fixture.connection, 6);
  folder = await mkdtemp(join(tmpdir(), "patchbay-erasure-"));
  await writeFile(join(folder, "keys"), `pbk1:1:${randomBytes(32).toString("base64")}\n`, { mode: 0o400 });
  const keys = await openLocalKeys(join(folder, "keys"));
  vault = createVault({ withWorkspace: database.as("patchbay_app").withWorkspace, keys, clock });
});
afterAll(async () => {
  await database.close();
  await fixture.drop();
  await rm(folder, { recursive: true });
});

describe("a provider that cannot be told", () => {
  test("is asked again, further apart each time, while the tenant's own rows are long gone", async () => {
    const world = await anErasedTenant(() => "kept");
    const first = await world.work(0);
    expect(await world.receipt()).toMatchObject({ status: "completed", provider: "pending", grants: { pending: 1 } });
    const later = [await world.work(1), await world.work(5), await world.work(50)];
    expect([first, ...later].map(inMinutes)).toEqual([0.5, 1, 16, 60]);
  });

  test("is told in the end, or given up after a week with the tokens destroyed, and the receipt tells which", async () => {
    let answer: ReturnedGrant = "kept";
    const told = await anErasedTenant(() => answer);
    await told.work(0);
    answer = "destroyed";
    await told.work(1);
    expect(await told.receipt()).toMatchObject({ provider: "told", grants: { destroyed: 1, pending: 0 } });

    const lost = await anErasedTenant((anyway) => (anyway ? "untold" : "kept"));
    await lost.work(0);
    shiftMs += 7 * 24 * HOUR;
    await lost.work(90);
    expect(await lost.receipt()).toMatchObject({ provider: "unreachable", grants: { destroyed: 1, pending: 0 } });
  });

  test("of a grant that others use is not told, and the receipt says so", async () => {
    const world = await anErasedTenant(() => "shared");
    await world.work(0);
    expect(await world.receipt()).toMatchObject({ provider: "none", grants: { destroyed: 0, shared: 1, pending: 0 } });
  });
});

describe("what a process writes that slept through the erasure", () => {
  test("is found by one more look after an hour, rows and keys alike", async () => {
    const world = await anErasedTenant(() => "destroyed");
    expect(inMinutes(await world.work(0))).toBe(60);
    const { workspaceId, tenantUid } = world;
    await fixture.sql`
      insert into change_counters (workspace_id, tenant_uid, value) values (${workspaceId}, ${tenantUid}, 1)`;
    await vault.sealer({ workspaceId, tenantUid, purpose: "payload" });
    shiftMs += HOUR;
    expect(await world.work(1)).toBe("done");
    expect((await world.receipt()).rowsRemoved).toMatchObject({ change_counters: 1, data_keys: 2 });
    expect(await fixture.sql`select 1 from data_keys where tenant_uid = ${tenantUid}`).toHaveLength(0);
  });

  test("for a browser or a host waits for the erasure, and is refused after it", async () => {
    const { workspaceId, tenantUid, tenantExternalId: id } = await aConnection(fixture.sql);
    const app = database.as("patchbay_app");
    const buried = Promise.withResolvers<void>();
    const letGo = Promise.withResolvers<void>();
    const burying = app.withWorkspace(workspaceId, async (tx) => {
      await buryTenant(tx, { workspaceId, id, now: clock.now() });
      buried.resolve();
      await letGo.promise;
    });
    await buried.promise;
    const holding = app.withWorkspace(workspaceId, (tx) => holdTenant(tx, { workspaceId, uid: tenantUid }));
    const refused = expect(holding).rejects.toMatchObject({ code: "tenant_not_found" });
    letGo.resolve();
    await burying;
    await refused;
  });
});

test("a receipt names the operator's backup retention, the keys' versions and no one", async () => {
  const world = await anErasedTenant(() => "destroyed", 35);
  await world.work(0);
  const receipt = await world.receipt();
  const backups = receipt.remains.find((each) => each.what === "database_backups");
  expect(Date.parse(backups?.until ?? "") - Date.parse(receipt.completedAt ?? "")).toBe(35 * 24 * HOUR);
  expect(backups?.detail).toContain("(local:1)");
  expect(JSON.stringify(receipt)).not.toContain(world.tenantExternalId);
  expect(receipt.tenantRef).toBe(encodeId("ten", world.tenantUid));
});

async function anErasedTenant(answer: (anyway: boolean) => ReturnedGrant, backupRetentionDays: number | null = null) {
  const tenantExternalId = `tenant-${randomUUID()}`;
  const { workspaceId, tenantUid } = await aConnection(fixture.sql, { tenantExternalId });
  const [app, worker] = [database.as("patchbay_app"), database.as("patchbay_worker")];
  await vault.sealer({ workspaceId, tenantUid, purpose: "payload" });
  const erasures = createErasures({
    app,
    worker,
    vault,
    audit: createAudit({ withWorkspace: app.withWorkspace, vault, clock }),
    connect: { returnGrant: async (_, anyway) => answer(anyway) },
    ingest: {
      onConnectionEnded: (tx, connection) => connectionEnded(tx, { clock }, connection),
      removeSubscriptions: async () => {},
    },
    inboxRetentionDays: 30,
    backupRetentionDays,
    clock,
    wake: { poke() {} },
    log: silentLogger,
  });
  const { id } = await erasures.eraseTenant({ workspaceId, id: tenantExternalId });
  const erasureId = decodeId("era", id);
  if (erasureId === null) throw new Error("no erasure id");
  return {
    workspaceId,
    tenantUid,
    tenantExternalId,
    receipt: () => erasures.get({ workspaceId, erasureId }),
    async work(attempts: number): Promise<ItemOutcome | undefined> {
      let outcome: ItemOutcome | undefined;
      await erasures.handleLane(
        aLane(workspaceId, erasureId, attempts, (settled) => {
          outcome = settled;
        }),
      );
      return outcome;
    },
  };
}

/** A lane that nobody else wants. */
function aLane(
  workspaceId: WorkspaceId,
  id: ErasureId,
  attempts: number,
  settled: (outcome: ItemOutcome | undefined) => void,
): ClaimedLane {
  const key = { kind: "erasure", workspaceId, tenantUid: randomUUID() as TenantUid, laneId: id } as const;
  const items = [{ id, task: "erase", attempts, runAt: clock.now() }];
  return {
    key,
    items,
    lease: { key, items, token: randomUUID() },
    signal: new AbortController().signal,
    fence: async () => {},
    rest: async () => {},
    takeTurns: async () => [],
    settle: async (_, outcomes) => settled(outcomes[0]?.outcome),
  };
}

/** Until the next look, to half a minute. */
function inMinutes(outcome: ItemOutcome | undefined): number {
  if (outcome === undefined || outcome === "done") return -1;
  return Math.round(((outcome.at.getTime() - clock.now().getTime()) / MINUTE) * 2) / 2;
}
