import { readFile } from "node:fs/promises";
import { z } from "zod";
import type { Secret } from "../../../platform/runtime/index.ts";
import {
  KeyProviderError,
  VaultKeyError,
  type BoundContext,
  type KeyProvider,
  type KeyTrouble,
} from "../key-provider.ts";
import { ask, type Answer } from "./ask.ts";
import { contextBytes } from "./context.ts";
import { LIMITS, type Limits } from "./limits.ts";

export interface VaultTransitSettings {
  readonly id: "vault-transit";
  readonly address: string;
  readonly mount: string;
  readonly key: string;
  readonly namespace: string | null;
  /** A file is read at each call, so that an agent may renew the token. */
  readonly token: { readonly file: string } | { readonly value: Secret };
}

/**
 * The transit engine of HashiCorp Vault, by plain HTTP.
 *
 * Versions are named `<mount>/<key>:<number>`. The newest of the start wraps: after a rotation in Vault, restart. Rows
 * move to it by unwrapping and wrapping: `rewrap` takes no associated data.
 *
 * @see https://developer.hashicorp.com/vault/api-docs/secret/transit
 * @see https://github.com/hashicorp/vault/issues/29532 on `rewrap`
 */
export async function openVaultTransit(settings: VaultTransitSettings, limits: Limits = LIMITS): Promise<KeyProvider> {
  const { mount, key } = settings;

  async function call<Shape>(
    method: "GET" | "POST",
    verb: string,
    shape: z.ZodType<Shape>,
    body?: Record<string, unknown>,
  ): Promise<Shape> {
    const question = {
      provider: "vault-transit",
      method,
      url: `${settings.address}/v1/${mount}/${verb}/${encodeURIComponent(key)}`,
      headers: {
        "x-vault-token": await tokenOf(settings),
        "x-vault-request": "true",
        ...(settings.namespace === null ? {} : { "x-vault-namespace": settings.namespace }),
      },
      ...(body === undefined ? {} : { body }),
    } as const;
    const answer = await ask(question, limits, isAboutContext);
    if (answer.status !== 200) throw trouble(troubleOf(answer), `status ${answer.status}`);
    const data = z.object({ data: shape }).safeParse(answer.body);
    if (!data.success) throw trouble("unreachable", "an answer of another form");
    return data.data.data;
  }

  const facts = await call("GET", "keys", KeyFacts);
  if (!facts.type.startsWith("aes") && !facts.type.startsWith("chacha")) {
    throw new VaultKeyError(`The transit key ${mount}/${key} is of type ${facts.type}; it must be aes256-gcm96.`);
  }
  if (facts.derived) throw new VaultKeyError(`The transit key ${mount}/${key} is derived; make one that is not.`);
  const { latest_version: latest, min_decryption_version: oldest } = facts;

  return {
    id: "vault-transit",
    versions: () => [`${mount}/${key}:${latest}`],
    holds: (version) => (numberOf(version, settings) ?? 0) >= Math.max(oldest, 1),
    async wrap(bytes, context, version = `${mount}/${key}:${latest}`) {
      const number = knownNumber(version, settings);
      const { ciphertext } = await call("POST", "encrypt", Ciphertext, {
        plaintext: base64(bytes),
        associated_data: base64(contextBytes(context)),
        key_version: number,
      });
      if (!ciphertext.startsWith(`vault:v${number}:`))
        throw trouble("wrong", "another version than the one asked wrapped");
      return Buffer.from(ciphertext);
    },
    async unwrap(wrapped, version, context: BoundContext) {
      const ciphertext = Buffer.from(wrapped).toString("latin1");
      if (!ciphertext.startsWith(`vault:v${knownNumber(version, settings)}:`)) {
        throw trouble("wrong", "wrapped by another version than its row says");
      }
      const { plaintext } = await call("POST", "decrypt", Plaintext, {
        ciphertext,
        associated_data: base64(contextBytes(context)),
      });
      return Buffer.from(plaintext, "base64");
    },
  };
}

const KeyFacts = z.object({
  latest_version: z.int().min(1),
  min_decryption_version: z.int(),
  type: z.string().max(60),
  derived: z.boolean().default(false),
});
const Ciphertext = z.object({ ciphertext: z.string().regex(/^vault:v\d{1,9}:[\w+/=]{1,4096}$/) });
const Plaintext = z.object({ plaintext: z.base64() });
const Errors = z.object({ errors: z.array(z.string()) });

/** Some releases answer a wrong context with 500. @see https://github.com/hashicorp/vault/issues/10842 */
function isAboutContext(answer: Answer): boolean {
  return says(answer, /message authentication failed/);
}

function troubleOf(answer: Answer): KeyTrouble {
  if (isAboutContext(answer)) return "wrong";
  if (answer.status === 401 || answer.status === 403 || answer.status === 404) return "denied";
  if (answer.status !== 400) return "unreachable";
  return says(answer, /key not found|disallowed by policy|too old/) ? "denied" : "wrong";
}

function says(answer: Answer, words: RegExp): boolean {
  const told = Errors.safeParse(answer.body);
  return told.success && told.data.errors.some((error) => words.test(error));
}

async function tokenOf({ token }: VaultTransitSettings): Promise<string> {
  if ("value" in token) return token.value.reveal();
  try {
    return (await readFile(token.file, "utf8")).trim();
  } catch (error) {
    throw new KeyProviderError("vault-transit", "unreachable", "the token file cannot be read", { cause: error });
  }
}

function knownNumber(version: string, settings: VaultTransitSettings): number {
  const number = numberOf(version, settings);
  if (number !== null) return number;
  throw new VaultKeyError(`PATCHBAY_VAULT_TRANSIT_KEY is not the key of ${version}, which this database needs.`);
}

function numberOf(version: string, { mount, key }: VaultTransitSettings): number | null {
  const prefix = `${mount}/${key}:`;
  const number = version.startsWith(prefix) ? version.slice(prefix.length) : "";
  return /^[1-9]\d{0,8}$/.test(number) ? Number(number) : null;
}

function trouble(kind: KeyTrouble, detail: string): KeyProviderError {
  return new KeyProviderError("vault-transit", kind, detail);
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}
