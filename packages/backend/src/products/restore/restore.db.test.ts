import { decodeId, type WorkspaceId } from "@patchbay/shared";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../../../../test/harness/database.ts";
import { waitFor } from "../../../../../test/harness/wait-for.ts";
import { createAudit } from "../../domain/audit/index.ts";
import { createLocalKeyFile, createVault, openLocalKeys } from "../../domain/vault/index.ts";
import { createWorkspace, putTenant } from "../../domain/workspaces/index.ts";
import { openDatabase, type Database } from "../../platform/db/index.ts";
import { createEgress } from "../../platform/egress/index.ts";
import { silentLogger } from "../../platform/observability/index.ts";
import { confirmRestore, finishRestore, heldEgress, heldSince, watchHold } from "./index.ts";

let fixture: TestDatabase;
let database: Database;
let folder: string;
let deps: Parameters<typeof finishRestore>[0];
let now = new Date("2026-11-22T03:00:00Z");
const workspaces: WorkspaceId[] = [];

beforeAll(async () => {
  fixture = await createTestDatabase();
  database = openDatabase(fixture.connection, 4);
  folder = await mkdtemp(join(tmpdir(), "patchbay-restore-"));
  await createLocalKeyFile(join(folder, "keys"));
  const clock = { now: () => now };
  const app = { withWorkspace: database.as("patchbay_app").withWorkspace, clock };
  const vault = createVault({ ...app, keys: await openLocalKeys(join(folder, "keys")) });
  const audit = createAudit({ ...app, vault });
  deps = {
    worker: database.as("patchbay_worker"),
    asOwner: database.as("patchbay_owner").withQueue,
    audit,
    clock,
  };
  for (const name of ["One", "Two"]) {
    const { id } = await createWorkspace(app, { name, mode: "test" });
    const workspaceId = decodeId("ws", id);
    if (workspaceId === null) throw new Error("no workspace");
    await putTenant(app, { workspaceId, id: "acme", body: {} });
    workspaces.push(workspaceId);
  }
});
afterAll(async () => {
  await database.close();
  await fixture.drop();
  await rm(folder, { recursive: true, force: true });
});

test("counts that hosts hold on to leap in every workspace, and further at a second restore of the same backup", async () => {
  const [first] = workspaces;
  await fixture.sql`insert into event_heads (workspace_id, epoch, position) values (${first ?? ""}, 7, 12)`;
  const backup = await counts();
  await restoreAt("2026-11-22T03:00:00Z");
  const once = await counts();
  // As the same backup would have it.
  await fixture.sql`delete from change_counters`;
  await fixture.sql`delete from event_heads`;
  await fixture.sql`insert into event_heads (workspace_id, epoch, position) values (${first ?? ""}, 7, 12)`;
  await restoreAt("2026-11-22T03:00:05Z");
  const twice = await counts();
  expect(backup.map(({ epoch, changes }) => [epoch, changes])).toEqual([
    [7, null],
    [null, null],
  ]);
  for (const [index, { epoch, position, changes }] of twice.entries()) {
    expect(epoch).toBeGreaterThan(Math.max(7, Number(once[index]?.epoch)));
    expect(Number(changes)).toBeGreaterThan(Number(once[index]?.changes));
    expect(Number(once[index]?.changes)).toBeGreaterThan(1_000_000_000);
    expect(position).toBe(backup[index]?.position ?? "0");
    expect(Number.isSafeInteger(Number(changes))).toBe(true);
  }
});

test("a process that finds a restore waits for the operator, reaches nobody, and goes on when it is confirmed", async () => {
  await restoreAt("2026-11-22T04:00:00Z");
  const hold = await watchHold({ worker: deps.worker, log: silentLogger });
  const egress = heldEgress(createEgress({ log: silentLogger }), hold);
  const wanted = {
    url: "https://127.0.0.1:9/",
    method: "GET",
    headers: {},
    exemptOrigins: [],
    deadlineMs: 1_000,
    responseBytesMax: 10,
  } as const;
  expect(hold.isHeld()).toBe(true);
  expect(await egress.request(wanted)).toEqual({ ok: false, problem: "connection_refused", sent: false });
  await expect(egress.fetchLike(wanted)(wanted.url)).rejects.toThrow("connection_refused");
  expect(await heldSince(deps)).toEqual(now);
  expect(await confirmRestore(deps)).toBe(true);
  expect(await heldSince(deps)).toBeNull();
  await hold.released;
  // The guard itself answers now.
  expect(await egress.request(wanted)).toMatchObject({ problem: "blocked_address" });
  expect(await confirmRestore(deps)).toBe(false);
  await waitFor(() => !hold.isHeld());
  hold.close();
  await egress.close();
});

test("a database that was never restored holds nobody", async () => {
  await fixture.sql`delete from queue.restores`;
  const hold = await watchHold({ worker: deps.worker, log: silentLogger });
  expect(hold.isHeld()).toBe(false);
  await hold.released;
});

async function restoreAt(at: string): Promise<void> {
  now = new Date(at);
  await finishRestore(deps, { backupTakenAt: new Date("2026-11-22T02:00:00Z"), backupId: null });
}

async function counts() {
  return fixture.sql<{ epoch: number | null; position: string | null; changes: string | null }[]>`
    select h.epoch, h.position, c.value as changes from workspaces w
    left join event_heads h on h.workspace_id = w.id left join change_counters c on c.workspace_id = w.id
    order by w.created_at, w.id`;
}
