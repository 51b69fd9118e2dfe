/** Keeps the key-encryption keys, outside the database: a local file, or a key management service. */
export interface KeyProvider {
  /** `local`, … Stands beside everything it wrapped. */
  readonly id: string;
  /** Versions that can unwrap; the primary, which wraps, first. */
  versions(): readonly string[];
  /** Wraps under the primary version, or under `version`. */
  wrap(key: Uint8Array, context: WrapContext, version?: string): Promise<{ wrapped: Uint8Array; kekVersion: string }>;
  /** @throws Error when the version is not held, or `wrapped` was made under another key or context */
  unwrap(wrapped: Uint8Array, kekVersion: string, context: WrapContext): Promise<Uint8Array>;
}

/** What a wrapped key is bound to. Ids only: a service may write it into its audit log. */
export interface WrapContext {
  readonly v: 1;
  readonly use: "workspace_key" | "canary";
  readonly workspaceId: string;
  readonly keyId: string;
}

/** A key is missing or is not the one that this database was sealed with. The message is a sentence for an operator. */
export class VaultKeyError extends Error {
  override readonly name = "VaultKeyError";
  /** `EX_CONFIG` of sysexits.h: starting again does not help. */
  readonly exitCode = 78;
}
