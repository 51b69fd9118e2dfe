import { AppError, type ProviderAppId, type WorkspaceId } from "@patchbay/shared";
import { and, desc, eq, notInArray } from "drizzle-orm";
import { exportJWK, exportPKCS8, generateKeyPair } from "jose";
import type { SigningAlgorithm } from "../../connectors/index.ts";
import type { ClientCertificate } from "../../platform/egress/index.ts";
import { NIL_UUID, type Tx, type WithWorkspace } from "../../platform/db/index.ts";
import { Secret, newId, type Clock } from "../../platform/runtime/index.ts";
import type { Place, Vault } from "../vault/index.ts";
import { providerAppKeys, providerApps } from "./tables.ts";

/** What a provider app proves itself with besides its secret. */
export interface AppKeys {
  /** `null`: none was made. */
  readonly signing: SigningKey | null;
  /** `null`: none was registered. */
  readonly certificate: ClientCertificate | null;
}

export interface SigningKey {
  readonly keyId: string;
  readonly algorithm: SigningAlgorithm;
  /** PKCS #8 in PEM. */
  readonly privateKey: Secret;
}

interface Deps {
  readonly withWorkspace: WithWorkspace;
  readonly vault: Vault;
  readonly clock: Clock;
}
interface AppRef {
  readonly workspaceId: WorkspaceId;
  readonly providerAppId: ProviderAppId;
}

/** Providers keep our public keys in a cache: a new key signs only when they can have seen it. */
const PUBLISHED_BEFORE_USE_MS = 3_600_000;

/**
 * Makes the app's next signing key. It is published at once and signs an hour later, the first one at once; the one
 * that signs until then stays published beside it. Older ones are gone.
 */
export async function rotateSigningKey(
  deps: Deps,
  input: AppRef & { readonly algorithm: SigningAlgorithm },
): Promise<{ readonly keyId: string; readonly usableFrom: Date }> {
  const { workspaceId, providerAppId, algorithm } = input;
  const pair = await generateKeyPair(algorithm, { extractable: true });
  const keyId = newId<string>();
  const privateKey = Buffer.from(await exportPKCS8(pair.privateKey));
  const publicKey = await exportJWK(pair.publicKey);
  const sealer = await deps.vault.sealer({ workspaceId, tenantUid: NIL_UUID, purpose: "secret" });
  const now = deps.clock.now();
  return deps.withWorkspace(workspaceId, async (tx) => {
    // Two rotations at once come one after the other.
    await tx.select({ id: providerApps.id }).from(providerApps).where(ofApp(input)).for("update");
    const signing = signingOf(await keysOf(tx, input), now);
    const keep = signing === null ? [] : [signing.id];
    await tx.delete(providerAppKeys).where(and(ofKeys(input), notInArray(providerAppKeys.id, keep)));
    const same = signing?.algorithm === algorithm;
    const usableFrom = same ? new Date(now.getTime() + PUBLISHED_BEFORE_USE_MS) : now;
    await tx.insert(providerAppKeys).values({
      workspaceId,
      id: keyId,
      providerAppId,
      algorithm,
      privateKey: sealer.seal(keyPlace(keyId), privateKey),
      publicJwk: { ...publicKey, kid: keyId, alg: algorithm, use: "sig" },
      usableFrom,
      createdAt: now,
    });
    return { keyId, usableFrom };
  });
}

/** The public keys as a JWK set; `null` when there is no such app. */
export async function publishedKeys(
  deps: Pick<Deps, "withWorkspace">,
  app: AppRef,
): Promise<{ readonly keys: readonly Readonly<Record<string, unknown>>[] } | null> {
  return deps.withWorkspace(app.workspaceId, async (tx) => {
    const [found] = await tx.select({ id: providerApps.id }).from(providerApps).where(ofApp(app));
    if (found === undefined) return null;
    return { keys: (await keysOf(tx, app)).map((key) => key.publicJwk) };
  });
}

/** @throws AppError `provider_app_missing` when there is no such app */
export async function loadAppKeys(deps: Deps, app: AppRef): Promise<AppKeys> {
  const { row, signing } = await deps.withWorkspace(app.workspaceId, async (tx) => {
    const [found] = await tx.select().from(providerApps).where(ofApp(app));
    return { row: found, signing: signingOf(await keysOf(tx, app), deps.clock.now()) };
  });
  if (row === undefined) throw new AppError("provider_app_missing", "there is no such provider app");
  const open = async (place: Place, sealed: Uint8Array) =>
    new Secret(Buffer.from(await deps.vault.open(app.workspaceId, place, sealed)).toString());
  return {
    signing:
      signing === null
        ? null
        : {
            keyId: signing.id,
            algorithm: signing.algorithm,
            privateKey: await open(keyPlace(signing.id), signing.privateKey),
          },
    certificate:
      row.clientCertificate === null || row.clientCertificateKey === null
        ? null
        : {
            owner: row.id,
            certificate: row.clientCertificate,
            privateKey: await open(certificateKeyPlace(row.id), row.clientCertificateKey),
          },
  };
}

export function certificateKeyPlace(id: ProviderAppId): Place {
  return { table: "provider_apps", rowId: id, column: "client_certificate_key", rowVersion: 1 };
}

type KeyRow = typeof providerAppKeys.$inferSelect;

/** Newest first. */
function keysOf(tx: Tx, app: AppRef): Promise<KeyRow[]> {
  return tx.select().from(providerAppKeys).where(ofKeys(app)).orderBy(desc(providerAppKeys.createdAt));
}

function signingOf(keys: readonly KeyRow[], now: Date): KeyRow | null {
  return keys.find((key) => key.usableFrom <= now) ?? null;
}

function ofApp(app: AppRef) {
  return and(eq(providerApps.workspaceId, app.workspaceId), eq(providerApps.id, app.providerAppId));
}

function ofKeys(app: AppRef) {
  return and(eq(providerAppKeys.workspaceId, app.workspaceId), eq(providerAppKeys.providerAppId, app.providerAppId));
}

function keyPlace(id: string): Place {
  return { table: "provider_app_keys", rowId: id, column: "private_key", rowVersion: 1 };
}
