import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { VaultKeyError, type BoundContext } from "../key-provider.ts";
import { crc32c } from "./crc32c.ts";
import { openGcpKms } from "./gcp-kms.ts";
import { loadOptional } from "./load-optional.ts";
import { FAKE_GCP_KEY, startFakeGcpKms } from "./testing/fake-gcp-kms.ts";
import { FAKE_VAULT_TOKEN, startFakeVault } from "./testing/fake-vault.ts";
import { TEST_LIMITS, gcpCredentials } from "./testing/worlds.ts";
import { openVaultTransit } from "./vault-transit.ts";

const CONTEXT: BoundContext = { v: 1, deployment: "d", use: "check", workspaceId: "w", keyId: "k" };
let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "patchbay-services-"));
});
afterEach(() => vi.unstubAllEnvs());
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("vault-transit", () => {
  test("reads the token file at each call, so that an agent may renew it", async () => {
    await using service = await startFakeVault();
    service.versions.add("1");
    const file = join(folder, "token");
    await writeFile(file, `${FAKE_VAULT_TOKEN}\n`);
    const provider = await openVaultTransit(vaultAt(service.url, file), TEST_LIMITS);
    await writeFile(file, "hvs.revoked");
    await expect(provider.wrap(randomBytes(32), CONTEXT)).rejects.toMatchObject({ trouble: "denied" });
    await writeFile(file, FAKE_VAULT_TOKEN);
    await provider.wrap(randomBytes(32), CONTEXT);
    await rm(file);
    await expect(provider.wrap(randomBytes(32), CONTEXT)).rejects.toMatchObject({ trouble: "unreachable" });
  });

  test("reads no more of an answer than one has", async () => {
    await using service = await startFakeVault();
    service.versions.add("1");
    const file = join(folder, "token");
    await writeFile(file, FAKE_VAULT_TOKEN);
    const provider = await openVaultTransit(vaultAt(service.url, file), TEST_LIMITS);
    service.set("endless");
    await expect(provider.wrap(randomBytes(32), CONTEXT)).rejects.toThrow("answer too long");
  });
});

describe("gcp-kms", () => {
  test("takes no answer that was damaged on the way", async () => {
    const damage = { answers: false };
    await using service = await startFakeGcpKms(damage);
    vi.stubEnv("GOOGLE_APPLICATION_CREDENTIALS", await gcpCredentials(folder, service.url));
    service.versions.add(`${FAKE_GCP_KEY}/cryptoKeyVersions/1`);
    const provider = await openGcpKms({ id: "gcp-kms", key: FAKE_GCP_KEY, endpoint: service.url }, TEST_LIMITS);
    const [version = ""] = provider.versions();
    const wrapped = await provider.wrap(randomBytes(32), CONTEXT);
    damage.answers = true;
    await expect(provider.unwrap(wrapped, version, CONTEXT)).rejects.toMatchObject({ trouble: "unreachable" });
    await expect(provider.wrap(randomBytes(32), CONTEXT)).rejects.toMatchObject({ trouble: "unreachable" });
  });

  test("computes the published checksum", () => {
    expect(crc32c(Buffer.from("123456789"))).toBe(0xe3069283);
    expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa);
  });
});

test("a package that is missing is named with how to install it", async () => {
  const missing: string = "@patchbay/no-such-package";
  const loading = loadOptional("aws-kms", missing, () => import(missing));
  await expect(loading).rejects.toThrow(VaultKeyError);
  await expect(loading).rejects.toThrow(`pnpm --filter @patchbay/backend add ${missing}`);
});

function vaultAt(address: string, file: string) {
  return {
    id: "vault-transit",
    address,
    mount: "transit",
    key: "patchbay",
    namespace: null,
    token: { file },
  } as const;
}
