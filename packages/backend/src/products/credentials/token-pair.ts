import type { GrantId, WorkspaceId } from "@patchbay/shared";
import { z } from "zod";
import { NIL_UUID } from "../../platform/db/index.ts";
import { Secret } from "../../platform/runtime/index.ts";
import type { DataKeySpec, Place, Sealer, Vault } from "../../domain/vault/index.ts";

/** What is sealed of a grant, by how its method works. */
export type GrantSecret = TokenPair | DerivedToken | HandedOver;

/** From an authorization code; refreshed. */
export interface TokenPair {
  readonly kind: "tokens";
  readonly accessToken: Secret;
  readonly refreshToken: Secret | null;
  /** `null`: does not expire. */
  readonly accessExpiresAt: Date | null;
  readonly refreshExpiresAt: Date | null;
}

/** From client credentials or an assertion; asked for again when it ends. */
export interface DerivedToken {
  readonly kind: "derived";
  /** What it is asked for with, as the account's owner handed it over. */
  readonly fields: Fields;
  readonly accessToken: Secret;
  readonly accessExpiresAt: Date | null;
}

/** Sent as it is: a key, a password, a certificate. */
export interface HandedOver {
  readonly kind: "fields";
  readonly fields: Fields;
  /** `null`: nothing is under way. */
  readonly rotation: Rotation | null;
}

/** Where the replacing of a key stands; each step is committed before the next is begun. */
export type Rotation =
  /** A new one is asked for, or was and we do not know. */
  | { readonly step: "creating"; readonly attempt: string }
  /** There is a new one that has not proved itself. */
  | { readonly step: "proving"; readonly next: Fields }
  /** The new one is in use; the old one still works at the provider. */
  | { readonly step: "revoking"; readonly old: Fields };

export type Fields = Readonly<Record<string, Secret>>;

/** A data key of the grant's own: destroyed with its last connection, whatever tenants shared it. */
export function grantKeySpec(workspaceId: WorkspaceId, grantId: GrantId): DataKeySpec {
  return { workspaceId, tenantUid: NIL_UUID, purpose: "credential", scope: grantId };
}

export function tokensPlace(grantId: GrantId, rowVersion: number): Place {
  return { table: "grants", rowId: grantId, column: "tokens", rowVersion };
}

export function previousTokensPlace(grantId: GrantId, rowVersion: number): Place {
  return { table: "grants", rowId: grantId, column: "previous_tokens", rowVersion };
}

export function orphanPlace(id: string): Place {
  return { table: "orphan_token_pairs", rowId: id, column: "tokens", rowVersion: 1 };
}

export function sealSecret(sealer: Sealer, place: Place, secret: GrantSecret): Uint8Array {
  return sealer.seal(place, Buffer.from(JSON.stringify(toJson(secret))));
}

/** Also what was sealed before grants had kinds: those are token pairs. */
export async function openSecret(
  vault: Vault,
  workspaceId: WorkspaceId,
  place: Place,
  sealed: Uint8Array,
): Promise<GrantSecret> {
  const opened = await vault.open(workspaceId, place, sealed);
  return Sealed.parse(JSON.parse(Buffer.from(opened).toString()));
}

/** @throws Error when the grant's method has no token pairs */
export async function openPair(...at: Parameters<typeof openSecret>): Promise<TokenPair> {
  const secret = await openSecret(...at);
  if (secret.kind !== "tokens") throw new Error(`a token pair was wanted where ${secret.kind} is sealed`);
  return secret;
}

function toJson(secret: GrantSecret): z.input<typeof Sealed> {
  switch (secret.kind) {
    case "tokens":
      return {
        kind: "tokens",
        accessToken: secret.accessToken.reveal(),
        refreshToken: secret.refreshToken?.reveal() ?? null,
        accessExpiresAt: secret.accessExpiresAt?.toISOString() ?? null,
        refreshExpiresAt: secret.refreshExpiresAt?.toISOString() ?? null,
      };
    case "derived":
      return {
        kind: "derived",
        fields: revealed(secret.fields),
        accessToken: secret.accessToken.reveal(),
        accessExpiresAt: secret.accessExpiresAt?.toISOString() ?? null,
      };
    case "fields":
      return { kind: "fields", fields: revealed(secret.fields), rotation: rotationToJson(secret.rotation) };
  }
}

function rotationToJson(rotation: Rotation | null): z.input<typeof SealedRotation> {
  switch (rotation?.step) {
    case undefined:
      return null;
    case "creating":
      return { step: "creating", attempt: rotation.attempt };
    case "proving":
      return { step: "proving", next: revealed(rotation.next) };
    case "revoking":
      return { step: "revoking", old: revealed(rotation.old) };
  }
}

function revealed(fields: Fields): Record<string, string> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, value.reveal()]));
}

const secret = z.string().transform((value) => new Secret(value));
const instant = z.iso.datetime().transform((value) => new Date(value));
const fields = z.record(z.string(), secret);
const SealedRotation = z
  .union([
    z.strictObject({ step: z.literal("creating"), attempt: z.string() }),
    z.strictObject({ step: z.literal("proving"), next: fields }),
    z.strictObject({ step: z.literal("revoking"), old: fields }),
  ])
  .nullable();
const Sealed = z.union([
  z.strictObject({
    kind: z.literal("tokens").default("tokens"),
    accessToken: secret,
    refreshToken: secret.nullable(),
    accessExpiresAt: instant.nullable(),
    refreshExpiresAt: instant.nullable(),
  }),
  z.strictObject({
    kind: z.literal("derived"),
    fields,
    accessToken: secret,
    accessExpiresAt: instant.nullable(),
  }),
  z.strictObject({ kind: z.literal("fields"), fields, rotation: SealedRotation.default(null) }),
]);
