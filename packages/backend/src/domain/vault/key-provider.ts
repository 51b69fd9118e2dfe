/** Where key-encryption keys can live. */
export const PROVIDER_IDS = ["local", "aws-kms", "vault-transit", "gcp-kms"] as const;
export type ProviderId = (typeof PROVIDER_IDS)[number];

/**
 * Keeps key-encryption keys outside the database: a local file, or a key management service.
 *
 * A service is called at the place that the operator configured, often a private address, and so not through the egress
 * guard, which is for addresses that others name. Every call has a deadline and a bounded number of tries.
 */
export interface KeyProvider {
  /** Stands beside everything it wrapped. */
  readonly id: ProviderId;
  /** Names of the versions to prove at start, the primary, which wraps, first. No two providers use the same name. */
  versions(): readonly string[];
  /** Whether it can unwrap what this version wrapped. A service may hold more versions than it lists. */
  holds(version: string): boolean;
  /** Wraps under the primary version, or under `version`. @throws KeyProviderError */
  wrap(key: Uint8Array, context: BoundContext, version?: string): Promise<Uint8Array>;
  /** @throws KeyProviderError, or VaultKeyError when the version is not configured */
  unwrap(wrapped: Uint8Array, version: string, context: BoundContext): Promise<Uint8Array>;
}

/** What a wrapped key is bound to. Ids only: a service may write it into its audit log. */
export interface WrapContext {
  readonly v: 1;
  readonly use: "workspace_key" | "canary" | "check" | "backup";
  readonly workspaceId: string;
  readonly keyId: string;
}

/** Bound to the deployment as well, so that two that share a key cannot open each other's. */
export interface BoundContext extends WrapContext {
  readonly deployment: string;
}

/**
 * Why a key provider gave no answer.
 *
 * - `unreachable`: no answer, or one that says nothing about the key: asking again later may help.
 * - `denied`: the service itself said no: access withdrawn, key disabled or deleted. What is cached must go at once.
 * - `wrong`: wrapped under another key or for another context, or changed since.
 */
export type KeyTrouble = "unreachable" | "denied" | "wrong";

/** The message names provider and trouble, never what the service answered. */
export class KeyProviderError extends Error {
  override readonly name = "KeyProviderError";
  readonly provider: ProviderId;
  readonly trouble: KeyTrouble;

  constructor(provider: ProviderId, trouble: KeyTrouble, detail: string, options?: ErrorOptions) {
    super(`${provider}: ${SENTENCES[trouble]} (${detail})`, options);
    this.provider = provider;
    this.trouble = trouble;
  }
}

const SENTENCES: Readonly<Record<KeyTrouble, string>> = {
  unreachable: "the key service gave no answer",
  denied: "the key service refuses the use of the key",
  wrong: "wrapped under another key or for another place",
};

/** Whether an error tells nothing about the one key that was asked for: the service or the settings are in trouble. */
export function concernsAllKeys(error: unknown): boolean {
  return error instanceof VaultKeyError || (error instanceof KeyProviderError && error.trouble !== "wrong");
}

/** A key is missing or is not the one that this database was sealed with. The message is a sentence for an operator. */
export class VaultKeyError extends Error {
  override readonly name = "VaultKeyError";
  /** `EX_CONFIG` of sysexits.h: starting again does not help. */
  readonly exitCode = 78;
}
