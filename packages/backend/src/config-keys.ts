import { resolve } from "node:path";
import { z } from "zod";
import { secureUrl } from "./config-url.ts";
import {
  AWS_KEY_ARN,
  DEPLOYMENT_DEFAULT,
  GCP_KEY_NAME,
  PROVIDER_IDS,
  type KeyProviderSettings,
  type KeySettings,
  type ProviderId,
} from "./domain/vault/index.ts";
import { Secret } from "./platform/runtime/index.ts";

/** At most this many keys of a service at once: the primary and those being left. */
const KEYS_MAX = 20;

const providers = z.string().transform((text, context) => {
  const [first = "", ...others] = text.split(",").map((item) => item.trim());
  const list: ProviderId[] = [];
  for (const item of [first, ...others]) {
    const id = PROVIDER_IDS.find((known) => known === item);
    if (id === undefined || list.includes(id))
      context.addIssue(`must be some of ${PROVIDER_IDS.join(", ")}, each once`);
    else list.push(id);
  }
  return list;
});

const arns = z.string().transform((text, context) => {
  const list = text.split(",").map((item) => item.trim());
  if (list.length > KEYS_MAX || new Set(list).size !== list.length || !list.every((item) => AWS_KEY_ARN.test(item))) {
    context.addIssue(`must be at most ${KEYS_MAX} ARNs of keys (not aliases), separated by commas, each once`);
  }
  return list;
});

const serviceUrl = secureUrl(/^(?:localhost|127\.0\.0\.1|\[::1\])$/);

/** Settings of the vault's keys, as they stand in the environment. */
export const KEY_ENVIRONMENT = {
  PATCHBAY_DEPLOYMENT: z
    .string()
    .regex(/^[a-z\d][a-z\d.-]{0,62}$/, "must be a name of small letters, digits, dots and dashes, at most 63")
    .default(DEPLOYMENT_DEFAULT),
  PATCHBAY_KEY_PROVIDERS: providers.default(["local"]),
  PATCHBAY_KEY_FILE: z.string().optional(),
  PATCHBAY_AWS_KMS_KEYS: arns.optional(),
  PATCHBAY_AWS_KMS_ENDPOINT: serviceUrl.optional(),
  PATCHBAY_VAULT_ADDRESS: serviceUrl.optional(),
  PATCHBAY_VAULT_TRANSIT_KEY: z
    .string()
    .regex(/^(?:[\w-]+\/)+[\w.-]+$/, "must be mount and key, such as transit/patchbay")
    .default("transit/patchbay"),
  PATCHBAY_VAULT_NAMESPACE: z
    .string()
    .regex(/^[\w./-]{1,200}$/, "must be the path of a namespace")
    .optional(),
  PATCHBAY_VAULT_TOKEN: z
    .string()
    .regex(/^[\x21-\x7e]{1,1000}$/, "must be a token")
    .transform((token) => new Secret(token))
    .optional(),
  PATCHBAY_VAULT_TOKEN_FILE: z.string().optional(),
  PATCHBAY_GCP_KMS_KEY: z
    .string()
    .regex(GCP_KEY_NAME, "must be projects/…/locations/…/keyRings/…/cryptoKeys/…")
    .optional(),
  PATCHBAY_GCP_KMS_ENDPOINT: serviceUrl.optional(),
};

export type KeyEnvironment = z.infer<z.ZodObject<typeof KEY_ENVIRONMENT>>;

/** @returns a sentence for each setting that a named provider lacks, or the settings */
export function keySettings(values: KeyEnvironment, cwd: string, dataDir: string): KeySettings | readonly string[] {
  const found = values.PATCHBAY_KEY_PROVIDERS.map((id) => providerSettings(id, values, cwd, dataDir));
  const problems = found.filter((item) => typeof item === "string");
  const [first, ...others] = found.filter((item) => typeof item !== "string");
  if (problems.length > 0 || first === undefined) return problems;
  return { deployment: values.PATCHBAY_DEPLOYMENT, providers: [first, ...others] };
}

function providerSettings(
  id: ProviderId,
  values: KeyEnvironment,
  cwd: string,
  dataDir: string,
): KeyProviderSettings | string {
  switch (id) {
    case "local":
      return { id, file: keyFileOf(values, cwd, dataDir) };
    case "aws-kms": {
      const [first, ...others] = values.PATCHBAY_AWS_KMS_KEYS ?? [];
      if (first === undefined) return "PATCHBAY_AWS_KMS_KEYS: aws-kms needs the ARN of a key";
      return { id, keys: [first, ...others], endpoint: values.PATCHBAY_AWS_KMS_ENDPOINT ?? null };
    }
    case "vault-transit": {
      const address = values.PATCHBAY_VAULT_ADDRESS;
      if (address === undefined) return "PATCHBAY_VAULT_ADDRESS: vault-transit needs Vault's address";
      const { PATCHBAY_VAULT_TOKEN: value, PATCHBAY_VAULT_TOKEN_FILE: file } = values;
      if ((value === undefined) === (file === undefined)) {
        return "PATCHBAY_VAULT_TOKEN_FILE: vault-transit needs this or PATCHBAY_VAULT_TOKEN, one of the two";
      }
      const [, mount = "", key = ""] = /^(.*)\/([^/]+)$/.exec(values.PATCHBAY_VAULT_TRANSIT_KEY) ?? [];
      const token = value === undefined ? { file: resolve(cwd, file ?? "") } : { value };
      return { id, address, mount, key, namespace: values.PATCHBAY_VAULT_NAMESPACE ?? null, token };
    }
    case "gcp-kms": {
      const key = values.PATCHBAY_GCP_KMS_KEY;
      if (key === undefined) return "PATCHBAY_GCP_KMS_KEY: gcp-kms needs the name of a key";
      return { id, key, endpoint: values.PATCHBAY_GCP_KMS_ENDPOINT ?? null };
    }
    default:
      return id satisfies never;
  }
}

/** Where the local key file stands, whether or not it is in use. */
export function keyFileOf(values: KeyEnvironment, cwd: string, dataDir: string): string {
  return resolve(cwd, values.PATCHBAY_KEY_FILE ?? `${dataDir}/keys`);
}
