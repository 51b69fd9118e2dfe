import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { waitFor } from "../../../../../test/harness/wait-for.ts";
import { silentLogger } from "../../platform/observability/index.ts";
import { systemClock, type Clock } from "../../platform/runtime/index.ts";
import { KeyDestroyedError } from "./data-keys.ts";
import { followDestroyedKeys } from "./destroyed-keys.ts";
import { TTL_MS } from "./key-cache.ts";
import type { Keys } from "./keys.ts";
import { openLocalKeys } from "./open-keys.ts";
import { PLACE, PLAIN, aClock, aSpec, openVaultWorld } from "./testing/vault-kit.ts";
import { createVault, type Vault } from "./vault.ts";

/** What the design promises: refused on every process so soon after the commit. */
const SOON_MS = 1_000;

let world: Awaited<ReturnType<typeof openVaultWorld>>;
let folder = "";
let keys: Keys;

beforeAll(async () => {
  world = await openVaultWorld(2);
  folder = await mkdtemp(join(tmpdir(), "patchbay-destroyed-"));
  const file = join(folder, "keys");
  await writeFile(file, `pbk1:1:${randomBytes(32).toString("base64")}\n`, { mode: 0o400 });
  keys = await openLocalKeys(file);
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

describe("destroyed keys", () => {
  test("V8: are refused by another process with a warm cache within a second of the commit", async () => {
    const [here, there] = [vaultOf(0), vaultOf(1)];
    const following = await follow(1, there);
    const { spec, sealed } = await warmed(here, there);
    const committed = await shred(here, spec);
    await refused(there, spec.workspaceId, sealed, SOON_MS);
    process.stdout.write(`V8: refused ${(performance.now() - committed).toFixed(1)} ms after the commit\n`);
    await following.close();
  });

  test("V8: are refused by a process that hears nothing once the keys are too old", async () => {
    const clock = aClock();
    const [here, deaf] = [vaultOf(0), vaultOf(1, clock)];
    const { spec, sealed } = await warmed(here, deaf);
    await shred(here, spec);
    clock.pass(TTL_MS - 1);
    expect(await deaf.open(spec.workspaceId, PLACE, sealed)).toEqual(PLAIN);
    clock.pass(1);
    await expect(deaf.open(spec.workspaceId, PLACE, sealed)).rejects.toThrow(KeyDestroyedError);
  });

  test("V8: many at once are all told", async () => {
    const [here, there] = [vaultOf(0), vaultOf(1)];
    const following = await follow(1, there);
    const { spec, sealed } = await warmed(here, there);
    for (let i = 0; i < 250; i++) await here.sealer({ ...spec, scope: String(i) });
    const last = (await here.sealer({ ...spec, scope: "249" })).seal(PLACE, PLAIN);
    await there.open(spec.workspaceId, PLACE, last);
    await shred(here, spec);
    await refused(there, spec.workspaceId, last, SOON_MS);
    await refused(there, spec.workspaceId, sealed, SOON_MS);
    await following.close();
  });

  test("that were loaded between destruction and commit are forgotten by the destroying process too", async () => {
    const here = vaultOf(0);
    const following = await follow(0, here);
    const { spec, sealed } = await warmed(here, here);
    await as(0).withWorkspace(spec.workspaceId, async (tx) => {
      await here.destroyKeys(tx, spec);
      expect(await here.open(spec.workspaceId, PLACE, sealed)).toEqual(PLAIN);
    });
    await refused(here, spec.workspaceId, sealed, SOON_MS);
    await following.close();
  });

  test("are not gone when the transaction is rolled back", async () => {
    const [here, there] = [vaultOf(0), vaultOf(1)];
    const { spec, sealed } = await warmed(here, there);
    const rolledBack = as(0).withWorkspace(spec.workspaceId, async (tx) => {
      await here.destroyKeys(tx, spec);
      throw new Error("rolled back");
    });
    await expect(rolledBack).rejects.toThrow("rolled back");
    expect(await here.open(spec.workspaceId, PLACE, sealed)).toEqual(PLAIN);
    expect(await there.open(spec.workspaceId, PLACE, sealed)).toEqual(PLAIN);
  });

  test("that were told while the connection was lost are refused when it is back", async () => {
    const [here, there] = [vaultOf(0), vaultOf(1)];
    let hearing = 0;
    const following = await followDestroyedKeys({
      database: {
        listen: (channel, hears) =>
          world.process(1).listen(`${channel}_unheard`, {
            ...hears,
            onHearing: () => {
              hearing += 1;
              hears.onHearing?.();
            },
          }),
      },
      vault: there,
      log: silentLogger,
    });
    const { spec, sealed } = await warmed(here, there);
    await shred(here, spec);
    expect(await there.open(spec.workspaceId, PLACE, sealed)).toEqual(PLAIN);
    await world.sql`select pg_terminate_backend(pid) from pg_stat_activity
      where query like '%as listening%' and pid <> pg_backend_pid() and datname = current_database()`;
    await waitFor(async () => hearing > 1);
    await expect(there.open(spec.workspaceId, PLACE, sealed)).rejects.toThrow(KeyDestroyedError);
    await following.close();
  });
});

function as(index: number) {
  return world.process(index).as("patchbay_worker");
}

function vaultOf(index: number, clock: Clock = systemClock): Vault {
  return createVault({ withWorkspace: as(index).withWorkspace, keys, clock });
}

function follow(index: number, vault: Vault) {
  return followDestroyedKeys({ database: world.process(index), vault, log: silentLogger });
}

/** A value that `one` sealed and `other` has opened. */
async function warmed(one: Vault, other: Vault) {
  const spec = await aSpec(world.process(0));
  const sealed = (await one.sealer(spec)).seal(PLACE, PLAIN);
  expect(await other.open(spec.workspaceId, PLACE, sealed)).toEqual(PLAIN);
  return { spec, sealed };
}

/** @returns when it was committed */
async function shred(vault: Vault, spec: Awaited<ReturnType<typeof aSpec>>): Promise<number> {
  const { workspaceId, tenantUid } = spec;
  await as(0).withWorkspace(workspaceId, (tx) => vault.destroyKeys(tx, { workspaceId, tenantUid }));
  return performance.now();
}

async function refused(vault: Vault, workspaceId: Parameters<Vault["open"]>[0], sealed: Uint8Array, withinMs: number) {
  await waitFor(
    () =>
      vault.open(workspaceId, PLACE, sealed).then(
        () => false,
        (error: unknown) => error instanceof KeyDestroyedError,
      ),
    { timeoutMs: withinMs },
  );
}
