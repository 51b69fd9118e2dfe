import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Secret } from "../../../../platform/runtime/index.ts";
import type { KeyProvider, ProviderId } from "../../key-provider.ts";
import { openAwsKms } from "../aws-kms.ts";
import { openGcpKms } from "../gcp-kms.ts";
import type { Limits } from "../limits.ts";
import { openLocalProvider } from "../local.ts";
import { openVaultTransit } from "../vault-transit.ts";
import { startFakeAwsKms } from "./fake-aws-kms.ts";
import { FAKE_GCP_KEY, startFakeGcpKms } from "./fake-gcp-kms.ts";
import type { FakeService } from "./fake-service.ts";
import { FAKE_VAULT_TOKEN, startFakeVault } from "./fake-vault.ts";

/** A key provider with its keys, as the conformance suite needs it. */
export interface World extends AsyncDisposable {
  /** `null` for what asks no service. */
  readonly service: FakeService | null;
  /** Opens the provider as a process starting now would. */
  open(): Promise<KeyProvider>;
  /** Adds a version, which is the primary of those who open from now on. */
  rotate(): Promise<void>;
  /** What the service calls the version of this name. */
  serviceName(version: string): string;
}

/** So short that faults cost no time, so long that a busy machine answers. */
export const TEST_LIMITS: Limits = { tryMs: 400, tries: 2 };

export const WORLDS: Readonly<Record<ProviderId, () => Promise<World>>> = {
  local: localWorld,
  "aws-kms": awsWorld,
  "vault-transit": vaultWorld,
  "gcp-kms": gcpWorld,
};

async function localWorld(): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), "patchbay-local-"));
  const lines: string[] = [];
  const rotate = async () => {
    lines.push(`pbk1:${lines.length + 1}:${randomBytes(32).toString("base64")}`);
  };
  await rotate();
  return {
    service: null,
    rotate,
    async open() {
      const file = join(folder, randomBytes(4).toString("hex"));
      await writeFile(file, `${lines.join("\n")} primary\n`, { mode: 0o400 });
      return openLocalProvider(file);
    },
    serviceName: (version) => version,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

/** The SDK reads credentials from the environment: tests set them there. */
async function awsWorld(): Promise<World> {
  const service = await startFakeAwsKms();
  let arns: string[] = [];
  const rotate = async () => {
    const arn = `arn:aws:kms:eu-central-1:111122223333:key/${randomBytes(8).toString("hex")}`;
    service.versions.add(arn);
    arns = [arn, ...arns];
  };
  await rotate();
  return {
    service,
    rotate,
    open() {
      const [first = "", ...others] = arns;
      return openAwsKms({ id: "aws-kms", keys: [first, ...others], endpoint: service.url }, TEST_LIMITS);
    },
    serviceName: (version) => version,
    [Symbol.asyncDispose]: () => service[Symbol.asyncDispose](),
  };
}

async function vaultWorld(): Promise<World> {
  const service = await startFakeVault();
  let count = 0;
  const rotate = async () => service.versions.add(String(++count));
  await rotate();
  return {
    service,
    rotate,
    open: () =>
      openVaultTransit(
        {
          id: "vault-transit",
          address: service.url,
          mount: "transit",
          key: "patchbay",
          namespace: null,
          token: { value: new Secret(FAKE_VAULT_TOKEN) },
        },
        TEST_LIMITS,
      ),
    serviceName: (version) => version.replace(/^.*:/, ""),
    [Symbol.asyncDispose]: () => service[Symbol.asyncDispose](),
  };
}

/** The library reads the file that `GOOGLE_APPLICATION_CREDENTIALS` names: {@link gcpCredentials} makes one. */
async function gcpWorld(): Promise<World> {
  const service = await startFakeGcpKms({ answers: false });
  const folder = await mkdtemp(join(tmpdir(), "patchbay-gcp-"));
  process.env["GOOGLE_APPLICATION_CREDENTIALS"] = await gcpCredentials(folder, service.url);
  let count = 0;
  const rotate = async () => service.versions.add(`${FAKE_GCP_KEY}/cryptoKeyVersions/${++count}`);
  await rotate();
  return {
    service,
    rotate,
    open: () => openGcpKms({ id: "gcp-kms", key: FAKE_GCP_KEY, endpoint: service.url }, TEST_LIMITS),
    serviceName: (version) => version,
    async [Symbol.asyncDispose]() {
      await service[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Workload identity federation whose token service is the fake. @returns the path */
export async function gcpCredentials(folder: string, url: string): Promise<string> {
  const [subject, path] = [join(folder, "subject"), join(folder, "credentials.json")];
  await writeFile(subject, "subject-token");
  await writeFile(
    path,
    JSON.stringify({
      type: "external_account",
      audience: "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/p",
      subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
      token_url: `${url}/token`,
      credential_source: { file: subject },
    }),
  );
  return path;
}
