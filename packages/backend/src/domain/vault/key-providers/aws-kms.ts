import type { KMSClient } from "@aws-sdk/client-kms";
import {
  KeyProviderError,
  VaultKeyError,
  type BoundContext,
  type KeyProvider,
  type KeyTrouble,
} from "../key-provider.ts";
import { LIMITS, WAIT_MS_MAX, type Limits } from "./limits.ts";
import { loadOptional } from "./load-optional.ts";

export interface AwsKmsSettings {
  readonly id: "aws-kms";
  /**
   * ARNs of keys, the one that wraps first; the others only unwrap. Not aliases: an alias can be pointed at another
   * key, and a row must say which one wrapped it. Rotation inside a key (`EnableKeyRotation`) needs nothing of us.
   */
  readonly keys: readonly [string, ...string[]];
  /** In place of the region's own, such as a VPC endpoint. */
  readonly endpoint: string | null;
}

export const AWS_KEY_ARN = /^arn:aws[\w-]*:kms:([a-z\d-]{1,40}):\d{12}:key\/[\w-]{1,64}$/;

/** AWS KMS by its own SDK, which finds credentials as everywhere (environment, profile, role of pod or instance). */
export async function openAwsKms(settings: AwsKmsSettings, limits: Limits = LIMITS): Promise<KeyProvider> {
  const sdk = await loadOptional("aws-kms", "@aws-sdk/client-kms", () => import("@aws-sdk/client-kms"));
  const regions = new Set(settings.keys.map(regionOf));
  const clients = new Map(
    [...regions].map((region) => [
      region,
      new sdk.KMSClient({
        region,
        ...(settings.endpoint === null ? {} : { endpoint: settings.endpoint }),
        maxAttempts: limits.tries,
        requestHandler: {
          connectionTimeout: limits.tryMs,
          requestTimeout: limits.tryMs,
          throwOnRequestTimeout: true,
        },
      }),
    ]),
  );

  async function ask<Answer>(
    arn: string,
    send: (client: KMSClient, options: { abortSignal: AbortSignal }) => Promise<Answer>,
  ) {
    const client = clients.get(regionOf(arn));
    if (client === undefined) throw new VaultKeyError(`PATCHBAY_AWS_KMS_KEYS lacks ${arn}, which this database needs.`);
    const abortSignal = AbortSignal.timeout(limits.tries * (limits.tryMs + WAIT_MS_MAX));
    try {
      return await send(client, { abortSignal });
    } catch (error) {
      throw new KeyProviderError("aws-kms", troubleOf(error), nameOf(error));
    }
  }

  return {
    id: "aws-kms",
    versions: () => settings.keys,
    holds: (version) => settings.keys.includes(version),
    async wrap(key, context, version = settings.keys[0]) {
      const command = new sdk.EncryptCommand({
        KeyId: version,
        Plaintext: key,
        EncryptionContext: encryptionContext(context),
      });
      const { CiphertextBlob, KeyId } = await ask(version, (client, options) => client.send(command, options));
      if (CiphertextBlob === undefined || KeyId !== version) {
        throw new KeyProviderError("aws-kms", "wrong", "another key than the one asked wrapped");
      }
      return CiphertextBlob;
    },
    async unwrap(wrapped, version, context) {
      if (!settings.keys.includes(version)) {
        throw new VaultKeyError(`PATCHBAY_AWS_KMS_KEYS lacks ${version}, which this database needs.`);
      }
      const command = new sdk.DecryptCommand({
        KeyId: version,
        CiphertextBlob: wrapped,
        EncryptionContext: encryptionContext(context),
      });
      const { Plaintext } = await ask(version, (client, options) => client.send(command, options));
      if (Plaintext === undefined) throw new KeyProviderError("aws-kms", "unreachable", "an answer without a key");
      return Plaintext;
    },
  };
}

function regionOf(arn: string): string {
  const region = AWS_KEY_ARN.exec(arn)?.[1];
  if (region === undefined) throw new VaultKeyError(`PATCHBAY_AWS_KMS_KEYS: ${arn} is not the ARN of a key.`);
  return region;
}

/** CloudTrail writes it in clear: ids only. */
function encryptionContext(context: BoundContext): Record<string, string> {
  return { ...context, v: String(context.v) };
}

/** Names as in the API reference, "Common Errors" and the errors of Encrypt and Decrypt. */
const SAYS_NOTHING: ReadonlySet<string> = new Set([
  "DependencyTimeoutException",
  "KMSInternalException",
  "KeyUnavailableException",
  "LimitExceededException",
  "RequestExpired",
  "RequestTimeoutException",
  "ThrottlingException",
  "TooManyRequestsException",
]);
const WRONG: ReadonlySet<string> = new Set(["IncorrectKeyException", "InvalidCiphertextException"]);

/** Only the service's own word counts as a denial: missing credentials on our side do not. */
function troubleOf(error: unknown): KeyTrouble {
  if (WRONG.has(nameOf(error))) return "wrong";
  const status = statusOf(error);
  const answered = status !== null && status >= 400 && status < 500;
  return !answered || SAYS_NOTHING.has(nameOf(error)) ? "unreachable" : "denied";
}

function statusOf(error: unknown): number | null {
  if (!(error instanceof Error) || !("$metadata" in error)) return null;
  const metadata = error.$metadata;
  if (typeof metadata !== "object" || metadata === null || !("httpStatusCode" in metadata)) return null;
  return typeof metadata.httpStatusCode === "number" ? metadata.httpStatusCode : null;
}

/** The error's code; what is behind it may quote the request. */
function nameOf(error: unknown): string {
  return error instanceof Error && /^\w{1,60}$/.test(error.name) ? error.name : "unknown";
}
