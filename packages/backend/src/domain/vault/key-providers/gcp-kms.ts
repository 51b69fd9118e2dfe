import { z } from "zod";
import { KeyProviderError, VaultKeyError, type KeyProvider, type KeyTrouble } from "../key-provider.ts";
import { ask, type Answer } from "./ask.ts";
import { contextBytes } from "./context.ts";
import { crc32c } from "./crc32c.ts";
import { LIMITS, type Limits } from "./limits.ts";
import { loadOptional } from "./load-optional.ts";

export interface GcpKmsSettings {
  readonly id: "gcp-kms";
  /** `projects/…/locations/…/keyRings/…/cryptoKeys/…` */
  readonly key: string;
  /** In place of `https://cloudkms.googleapis.com`, such as a private one. */
  readonly endpoint: string | null;
}

export const GCP_KEY_NAME = /^projects\/[\w:.-]+\/locations\/[\w-]+\/keyRings\/[\w-]+\/cryptoKeys\/[\w-]+$/;
const ENDPOINT = "https://cloudkms.googleapis.com";
const SCOPE = "https://www.googleapis.com/auth/cloudkms";

/**
 * Google Cloud KMS by REST; `google-auth-library` finds the credentials.
 *
 * Versions are names of key versions. The primary of the start wraps: after a rotation at Google, restart. Google
 * chooses the version that decrypts by itself, so the name is part of the additional data.
 *
 * @see https://cloud.google.com/kms/docs/reference/rest/v1/projects.locations.keyRings.cryptoKeys/encrypt
 * @see https://cloud.google.com/kms/docs/data-integrity-guidelines
 */
export async function openGcpKms(settings: GcpKmsSettings, limits: Limits = LIMITS): Promise<KeyProvider> {
  const { GoogleAuth } = await loadOptional("gcp-kms", "google-auth-library", () => import("google-auth-library"));
  // With a project the library does not go and ask for one.
  const auth = new GoogleAuth({ scopes: [SCOPE], projectId: settings.key.split("/")[1] ?? "" });
  const authorization = async () => {
    try {
      return (await within(auth.getRequestHeaders(), limits)).get("authorization") ?? "";
    } catch (error) {
      throw new KeyProviderError("gcp-kms", "unreachable", "no credentials", { cause: error });
    }
  };

  async function call<Shape>(path: string, shape: z.ZodType<Shape>, body?: Record<string, unknown>): Promise<Shape> {
    const question = {
      provider: "gcp-kms",
      method: body === undefined ? "GET" : "POST",
      url: `${settings.endpoint ?? ENDPOINT}/v1/${path}`,
      headers: { authorization: await authorization() },
      ...(body === undefined ? {} : { body }),
    } as const;
    const answer = await ask(question, limits);
    if (answer.status !== 200) throw trouble(troubleOf(answer), `status ${answer.status}`);
    const read = shape.safeParse(answer.body);
    if (!read.success) throw trouble("unreachable", "an answer of another form, or damaged on the way");
    return read.data;
  }

  const { primary } = await call(settings.key, Key);
  const prefix = `${settings.key}/cryptoKeyVersions/`;
  const holds = (version: string) => version.startsWith(prefix) && /^\d{1,9}$/.test(version.slice(prefix.length));
  const known = (version: string) => {
    if (holds(version)) return;
    throw new VaultKeyError(`PATCHBAY_GCP_KMS_KEY is not the key of ${version}, which this database needs.`);
  };

  return {
    id: "gcp-kms",
    versions: () => [primary.name],
    holds,
    async wrap(key, context, version = primary.name) {
      known(version);
      const answer = await call(`${version}:encrypt`, Encrypted, {
        ...checked("plaintext", key),
        ...checked("additionalAuthenticatedData", contextBytes(context, version)),
      });
      if (answer.name !== version) throw trouble("wrong", "another version than the one asked wrapped");
      return answer.ciphertext;
    },
    async unwrap(wrapped, version, context) {
      known(version);
      const { plaintext } = await call(`${settings.key}:decrypt`, Decrypted, {
        ...checked("ciphertext", wrapped),
        ...checked("additionalAuthenticatedData", contextBytes(context, version)),
      });
      return plaintext;
    },
  };
}

const Key = z.object({ primary: z.object({ name: z.string().max(1_000) }) });
const bytes = z.base64().transform((text) => Buffer.from(text, "base64"));
/** The API writes 64-bit numbers as strings. */
const checksum = z.union([z.string().regex(/^\d{1,10}$/), z.int()]).transform(Number);

/** Both ways: Google saw what we sent, and we see what Google sent. */
const Encrypted = z
  .object({
    name: z.string(),
    ciphertext: bytes,
    ciphertextCrc32c: checksum,
    verifiedPlaintextCrc32c: z.literal(true),
    verifiedAdditionalAuthenticatedDataCrc32c: z.literal(true),
  })
  .refine((answer) => crc32c(answer.ciphertext) === answer.ciphertextCrc32c);
const Decrypted = z
  .object({ plaintext: bytes, plaintextCrc32c: checksum })
  .refine((answer) => crc32c(answer.plaintext) === answer.plaintextCrc32c);

function checked(name: string, value: Uint8Array): Record<string, string> {
  return { [name]: Buffer.from(value).toString("base64"), [`${name}Crc32c`]: String(crc32c(value)) };
}

const Refusal = z.object({ error: z.object({ status: z.string() }) });

function troubleOf(answer: Answer): KeyTrouble {
  const told = Refusal.safeParse(answer.body);
  switch (told.success ? told.data.error.status : "") {
    case "INVALID_ARGUMENT":
      return "wrong";
    // A version that is disabled or destroyed is FAILED_PRECONDITION.
    case "FAILED_PRECONDITION":
    case "NOT_FOUND":
    case "PERMISSION_DENIED":
    case "UNAUTHENTICATED":
      return "denied";
    default:
      return "unreachable";
  }
}

/** The library has no deadline of its own. */
function within<T>(work: Promise<T>, limits: Limits): Promise<T> {
  const signal = AbortSignal.timeout(limits.tries * limits.tryMs);
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => reject(new Error("no credentials in time")), { once: true });
    work.then(resolve, reject);
  });
}

function trouble(kind: KeyTrouble, detail: string): KeyProviderError {
  return new KeyProviderError("gcp-kms", kind, detail);
}
