/** The product on a key service, by real processes: the move from a key file, an outage, access withdrawn. */
import { parseConfig, prepareLocalFiles, startPatchbay } from "@patchbay/backend";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  FAKE_VAULT_TOKEN,
  startFakeVault,
} from "../../packages/backend/src/domain/vault/key-providers/testing/fake-vault.ts";
import { createTestDatabase, type TestDatabase } from "../harness/database.ts";
import { runPatchbay } from "../harness/run-patchbay.ts";
import { scratchRoot } from "../harness/scratch-root.ts";

let database: TestDatabase;
let folder: string;
let service: Awaited<ReturnType<typeof startFakeVault>>;
let env: Readonly<Record<string, string>>;

beforeAll(async () => {
  database = await createTestDatabase();
  service = await startFakeVault();
  service.versions.add("1");
  folder = await mkdtemp(join(await scratchRoot(), "key-service-"));
  env = {
    PATCHBAY_DATA_DIR: folder,
    PATCHBAY_PORT: "0",
    PATCHBAY_LOG_LEVEL: "silent",
    DATABASE_URL: database.url,
  };
  const config = parseConfig(env, folder);
  await prepareLocalFiles(config);
  const patchbay = await startPatchbay({ config, roles: { api: true, worker: false } });
  await patchbay.createWorkspace({ name: "Acme", mode: "test", returnUrls: [] });
  await patchbay.close();
});
afterAll(async () => {
  await service[Symbol.asyncDispose]();
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

// One after the other: each finds what the one before left.
describe("a key service", () => {
  test("takes over from the key file without anything being sealed anew", async () => {
    const rotated = await patchbay(["keys", "rotate"], "vault-transit,local");
    expect(rotated.said).toContain('1 workspace key wrapped anew with "vault-transit transit/patchbay:1"');
    expect(rotated.code).toBe(0);
    const status = await patchbay(["keys", "status"], "vault-transit");
    expect(status.said).toContain("vault-transit transit/patchbay:1: 1 workspace key, wraps new ones");
    expect(status.said).toContain("vault-transit ok");
    expect(status.code).toBe(0);
  });

  test("is the only way in then", async () => {
    const { code, said } = await patchbay(["keys", "status"], "local");
    expect(said).toMatch(/^This database needs version transit\/patchbay:1 of the keys of "vault-transit"/);
    expect(code).toBe(78);
  });

  test("V10: without an answer ends a start with a code that says: try again", async () => {
    service.set("status503");
    const { code, said } = await patchbay(["serve"], "vault-transit");
    expect(said).toMatch(/^The keys cannot be used: vault-transit: the key service gave no answer \(status 503\)\.\n$/);
    expect(code).toBe(75);
  });

  test("V10: that says no ends a start with a code that says: change something first", async () => {
    service.set("denied");
    const { code, said } = await patchbay(["serve"], "vault-transit");
    expect(said).toMatch(/^The keys cannot be used: vault-transit: the key service refuses the use of the key/);
    expect(code).toBe(78);
  });
});

function patchbay(args: readonly string[], providers: string) {
  return runPatchbay(args, {
    cwd: folder,
    env: {
      ...env,
      PATCHBAY_KEY_PROVIDERS: providers,
      PATCHBAY_VAULT_ADDRESS: service.url,
      PATCHBAY_VAULT_TOKEN: FAKE_VAULT_TOKEN,
    },
  });
}
