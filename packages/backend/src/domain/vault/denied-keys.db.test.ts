import type { WorkspaceId } from "@patchbay/shared";
import { and, eq } from "drizzle-orm";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { checkKeys } from "./check-keys.ts";
import { STALE_MS_MAX, TTL_MS } from "./key-cache.ts";
import { HEALTH_MS, createKeyHealth } from "./key-health.ts";
import type { KeyProvider, ProviderId } from "./key-provider.ts";
import { openLocalProvider } from "./key-providers/local.ts";
import { WORLDS, type World } from "./key-providers/testing/worlds.ts";
import { createKeys, type Keys } from "./keys.ts";
import { workspaceKeys } from "./tables.ts";
import { PLACE, PLAIN, aClock, aSpec, openVaultWorld } from "./testing/vault-kit.ts";
import { createVault, type KeyEvent, type Vault } from "./vault.ts";
import { workspaceKeyContext } from "./workspace-keys.ts";

const REMOTE: readonly ProviderId[] = ["aws-kms", "vault-transit", "gcp-kms"];

let world: Awaited<ReturnType<typeof openVaultWorld>>;
let folder = "";

beforeAll(async () => {
  world = await openVaultWorld(1);
  folder = await mkdtemp(join(tmpdir(), "patchbay-denied-"));
});
beforeEach(async () => {
  await world.sql`truncate vault_canaries, workspace_keys, data_keys, queue.workspaces`;
  vi.stubEnv("AWS_ACCESS_KEY_ID", "AKIDOFTHEFAKE");
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "of-the-fake");
});
afterEach(() => vi.unstubAllEnvs());
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

describe.each(REMOTE)("V10: a vault on %s", (id) => {
  let remote: World;
  beforeEach(async () => {
    remote = await WORLDS[id]();
  });
  afterEach(() => remote[Symbol.asyncDispose]());

  test.each(["status503", "reset"] as const)(
    "V10: opens on without an answer (%s), for a bounded time",
    async (fault) => {
      const { vault, clock, events } = await aVault(createKeys("test", [await remote.open()]));
      const { workspaceId, sealed } = await aValue(vault);
      remote.service?.set(fault);
      clock.pass(TTL_MS);
      expect(await vault.open(workspaceId, PLACE, sealed)).toEqual(PLAIN);
      expect(events).toContainEqual({ kind: "stale", provider: id });
      clock.pass(STALE_MS_MAX - 1);
      expect(await vault.open(workspaceId, PLACE, sealed)).toEqual(PLAIN);
      // The data key may be as old as any; its workspace key gives it up then.
      clock.pass(TTL_MS);
      await expect(vault.open(workspaceId, PLACE, sealed)).rejects.toMatchObject({ trouble: "unreachable" });
      remote.service?.set("none");
      expect(await vault.open(workspaceId, PLACE, sealed)).toEqual(PLAIN);
    },
  );

  test.each(["denied", "disabled"] as const)("V10: opens nothing from the moment it is %s", async (how) => {
    const provider = await remote.open();
    const { vault, events } = await aVault(createKeys("test", [provider]));
    const warm = [await aValue(vault), await aValue(vault)];
    if (how === "denied") remote.service?.set("denied");
    else remote.service?.disable(remote.serviceName(provider.versions()[0] ?? ""));
    for (const { workspaceId, sealed } of warm) expect(await vault.open(workspaceId, PLACE, sealed)).toEqual(PLAIN);
    // A third workspace is the first to hear it.
    await expect(aValue(vault)).rejects.toMatchObject({ trouble: "denied" });
    for (const { workspaceId, sealed } of warm) {
      await expect(vault.open(workspaceId, PLACE, sealed)).rejects.toMatchObject({ trouble: "denied" });
    }
    expect(events).toContainEqual({ kind: "evicted", provider: id });
  });

  test("V10: a denial that only the health check hears empties the memory too", async () => {
    const keys = createKeys("test", [await remote.open()]);
    const { vault, clock } = await aVault(keys);
    const { workspaceId, sealed } = await aValue(vault);
    const health = createKeyHealth({ keys, clock });
    expect(await health()).toEqual({ [id]: "ok" });
    const calls = remote.service?.calls;
    await Promise.all(Array.from({ length: 50 }, () => health()));
    expect(remote.service?.calls).toBe(calls);
    remote.service?.set("denied");
    clock.pass(HEALTH_MS);
    expect(await health()).toEqual({ [id]: "denied" });
    await expect(vault.open(workspaceId, PLACE, sealed)).rejects.toMatchObject({ trouble: "denied" });
  });

  test("takes over from the local file: both open, the new one wraps, and the file may go when no row needs it", async () => {
    const local = await aLocalProvider();
    const before = await aVault(createKeys("test", [local]));
    const { workspaceId, sealed } = await aValue(before.vault);
    const provider = await remote.open();

    const moving = await aVault(createKeys("test", [provider, local]));
    expect(await moving.vault.open(workspaceId, PLACE, sealed)).toEqual(PLAIN);
    await aValue(moving.vault);
    const only = createKeys("test", [provider]);
    await expect(aVault(only)).rejects.toThrow("name its provider in PATCHBAY_KEY_PROVIDERS");

    await rewrapAll(moving.keys);
    const after = await aVault(only);
    expect(await after.vault.open(workspaceId, PLACE, sealed)).toEqual(PLAIN);
  });
});

function as() {
  return world.process(0).as("patchbay_worker");
}

/** A vault of a process that has just started. */
async function aVault(keys: Keys) {
  const clock = aClock();
  const events: KeyEvent[] = [];
  await checkKeys({ database: as(), keys, clock });
  const { withWorkspace } = as();
  const vault = createVault({ withWorkspace, keys, clock, onKeyEvent: (event) => events.push(event) });
  return { vault, keys, clock, events };
}

async function aValue(vault: Vault) {
  const spec = await aSpec(world.process(0));
  return { workspaceId: spec.workspaceId, sealed: (await vault.sealer(spec)).seal(PLACE, PLAIN) };
}

/** What a rotation does with every row. */
async function rewrapAll(keys: Keys): Promise<void> {
  const found = await world.sql<{ workspace_id: WorkspaceId }[]>`select distinct workspace_id from workspace_keys`;
  for (const { workspace_id: workspaceId } of found) {
    const mine = eq(workspaceKeys.workspaceId, workspaceId);
    for (const row of await as().withWorkspace(workspaceId, (tx) => tx.select().from(workspaceKeys).where(mine))) {
      const context = workspaceKeyContext(workspaceId, row.id);
      const moved = await keys.wrap(await keys.unwrap(row, context), context);
      await as().withWorkspace(workspaceId, (tx) =>
        tx
          .update(workspaceKeys)
          .set(moved)
          .where(and(mine, eq(workspaceKeys.id, row.id))),
      );
    }
  }
}

async function aLocalProvider(): Promise<KeyProvider> {
  const file = join(folder, randomBytes(4).toString("hex"));
  await writeFile(file, `pbk1:${randomBytes(4).toString("hex")}:${randomBytes(32).toString("base64")}\n`, {
    mode: 0o400,
  });
  return openLocalProvider(file);
}
