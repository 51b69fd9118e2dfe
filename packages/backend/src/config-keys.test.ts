import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { ConfigError, parseConfig } from "./config.ts";

const ARN = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const GCP_KEY = "projects/p/locations/europe-west1/keyRings/r/cryptoKeys/k";

describe("settings of the vault's keys", () => {
  test("are a local file when nothing is set", () => {
    expect(parseConfig({}, "/srv").keys).toEqual({
      deployment: "patchbay",
      providers: [{ id: "local", file: "/srv/.patchbay/keys" }],
    });
  });

  test("take several providers, the first one wraps", () => {
    const { keys } = parseConfig(
      {
        PATCHBAY_DEPLOYMENT: "production",
        PATCHBAY_KEY_PROVIDERS: "aws-kms, vault-transit, gcp-kms, local",
        PATCHBAY_AWS_KMS_KEYS: `${ARN}, ${ARN.replace("eu-central-1", "us-east-1")}`,
        PATCHBAY_VAULT_ADDRESS: "https://vault.internal:8200/",
        PATCHBAY_VAULT_TRANSIT_KEY: "teams/transit/patchbay",
        PATCHBAY_VAULT_TOKEN_FILE: "token",
        PATCHBAY_GCP_KMS_KEY: GCP_KEY,
      },
      "/srv",
    );
    expect(keys).toMatchObject({
      deployment: "production",
      providers: [
        { id: "aws-kms", keys: [ARN, ARN.replace("eu-central-1", "us-east-1")], endpoint: null },
        {
          id: "vault-transit",
          address: "https://vault.internal:8200",
          mount: "teams/transit",
          key: "patchbay",
          token: { file: "/srv/token" },
        },
        { id: "gcp-kms", key: GCP_KEY, endpoint: null },
        { id: "local", file: "/srv/.patchbay/keys" },
      ],
    });
  });

  test("do not print the token", () => {
    const env = {
      PATCHBAY_KEY_PROVIDERS: "vault-transit",
      PATCHBAY_VAULT_ADDRESS: "https://vault.internal",
      PATCHBAY_VAULT_TOKEN: "hvs.canary",
    };
    const config = parseConfig(env, "/srv");
    expect(inspect(config, { depth: 9 }) + JSON.stringify(config)).not.toContain("hvs.canary");
  });

  test.each<[Readonly<Record<string, string>>, string]>([
    [{ PATCHBAY_KEY_PROVIDERS: "azure" }, "PATCHBAY_KEY_PROVIDERS: must be some of local, aws-kms"],
    [{ PATCHBAY_KEY_PROVIDERS: "local,local" }, "each once"],
    [{ PATCHBAY_KEY_PROVIDERS: "aws-kms" }, "PATCHBAY_AWS_KMS_KEYS: aws-kms needs the ARN of a key"],
    [{ PATCHBAY_AWS_KMS_KEYS: "alias/patchbay" }, "not aliases"],
    [{ PATCHBAY_AWS_KMS_KEYS: ARN.replace("key/", "alias/") }, "not aliases"],
    [{ PATCHBAY_KEY_PROVIDERS: "vault-transit" }, "PATCHBAY_VAULT_ADDRESS: vault-transit needs"],
    [{ PATCHBAY_VAULT_ADDRESS: "http://vault.internal" }, "must be an https:// URL"],
    [
      { PATCHBAY_KEY_PROVIDERS: "vault-transit", PATCHBAY_VAULT_ADDRESS: "https://vault.internal" },
      "needs this or PATCHBAY_VAULT_TOKEN",
    ],
    [{ PATCHBAY_KEY_PROVIDERS: "gcp-kms" }, "PATCHBAY_GCP_KMS_KEY: gcp-kms needs"],
    [{ PATCHBAY_GCP_KMS_KEY: "k" }, "must be projects/"],
    [{ PATCHBAY_DEPLOYMENT: "Prod Env" }, "must be a name of small letters"],
  ])("that cannot work are told (%#)", (env, problem) => {
    expect(() => parseConfig(env, "/srv")).toThrow(ConfigError);
    expect(() => parseConfig(env, "/srv")).toThrow(problem);
  });
});
