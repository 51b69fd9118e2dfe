import type { GrantId, WorkspaceId } from "@patchbay/shared";
import { z } from "zod";
import { NIL_UUID } from "../../platform/db/index.ts";
import { Secret } from "../../platform/runtime/index.ts";
import type { DataKeySpec, Place, Sealer, Vault } from "../../domain/vault/index.ts";

/** What is sealed of a grant. */
export interface TokenPair {
  readonly accessToken: Secret;
  readonly refreshToken: Secret | null;
  /** `null`: does not expire. */
  readonly accessExpiresAt: Date | null;
  readonly refreshExpiresAt: Date | null;
}

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

export function sealPair(sealer: Sealer, place: Place, pair: TokenPair): Uint8Array {
  const json = {
    accessToken: pair.accessToken.reveal(),
    refreshToken: pair.refreshToken?.reveal() ?? null,
    accessExpiresAt: pair.accessExpiresAt?.toISOString() ?? null,
    refreshExpiresAt: pair.refreshExpiresAt?.toISOString() ?? null,
  } satisfies z.input<typeof SealedPair>;
  return sealer.seal(place, Buffer.from(JSON.stringify(json)));
}

export async function openPair(
  vault: Vault,
  workspaceId: WorkspaceId,
  place: Place,
  sealed: Uint8Array,
): Promise<TokenPair> {
  const opened = await vault.open(workspaceId, place, sealed);
  return SealedPair.parse(JSON.parse(Buffer.from(opened).toString()));
}

const secret = z.string().transform((value) => new Secret(value));
const instant = z.iso.datetime().transform((value) => new Date(value));
const SealedPair = z.strictObject({
  accessToken: secret,
  refreshToken: secret.nullable(),
  accessExpiresAt: instant.nullable(),
  refreshExpiresAt: instant.nullable(),
});
