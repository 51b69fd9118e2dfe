import { assertNever } from "@patchbay/shared";
import type { KeyProvider } from "./key-provider.ts";
import { openAwsKms, type AwsKmsSettings } from "./key-providers/aws-kms.ts";
import { openGcpKms, type GcpKmsSettings } from "./key-providers/gcp-kms.ts";
import { openLocalProvider } from "./key-providers/local.ts";
import { openVaultTransit, type VaultTransitSettings } from "./key-providers/vault-transit.ts";
import { createKeys, type Keys } from "./keys.ts";

/** One configured key provider. */
export type KeyProviderSettings =
  | { readonly id: "local"; readonly file: string }
  | AwsKmsSettings
  | VaultTransitSettings
  | GcpKmsSettings;

export interface KeySettings {
  /** Name of this installation; part of what every key is bound to. */
  readonly deployment: string;
  /** The one that wraps first; the others only unwrap. */
  readonly providers: readonly [KeyProviderSettings, ...KeyProviderSettings[]];
}

export const DEPLOYMENT_DEFAULT = "patchbay";

/** @throws VaultKeyError with a sentence for the operator, or KeyProviderError */
export async function openKeys({ deployment, providers: [first, ...others] }: KeySettings): Promise<Keys> {
  return createKeys(deployment, [await openProvider(first), ...(await Promise.all(others.map(openProvider)))]);
}

/** The keys of one local file under the default name. */
export function openLocalKeys(file: string): Promise<Keys> {
  return openKeys({ deployment: DEPLOYMENT_DEFAULT, providers: [{ id: "local", file }] });
}

function openProvider(settings: KeyProviderSettings): Promise<KeyProvider> {
  switch (settings.id) {
    case "local":
      return openLocalProvider(settings.file);
    case "aws-kms":
      return openAwsKms(settings);
    case "vault-transit":
      return openVaultTransit(settings);
    case "gcp-kms":
      return openGcpKms(settings);
    default:
      return assertNever(settings);
  }
}
