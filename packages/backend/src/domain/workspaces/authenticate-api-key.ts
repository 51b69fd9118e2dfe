import { AppError, type ApiKeyId, type WorkspaceId } from "@patchbay/shared";
import { and, eq, isNull, lt, or, sql } from "drizzle-orm";
import { timingSafeEqual } from "node:crypto";
import type { WithWorkspace } from "../../platform/db/index.ts";
import { networksOf, type Clock } from "../../platform/runtime/index.ts";
import { parseApiKey } from "./api-key-format.ts";
import type { Rights } from "./api-keys.ts";
import { apiKeys } from "./tables.ts";

interface Deps {
  readonly withWorkspace: WithWorkspace;
  readonly clock: Clock;
}

/** Who calls: a workspace's backend. */
export interface ApiCaller extends Rights {
  readonly workspaceId: WorkspaceId;
  readonly mode: "live" | "test";
  readonly keyId: ApiKeyId;
}

/** How old `lastUsedAt` may be before it is written again. */
const LAST_USED_SAMPLE_MS = 60_000;

/**
 * The caller behind a key, or `null` when the key is malformed, unknown, revoked or expired. The row is read every
 * time, so that what is revoked is refused by all processes from the commit on.
 *
 * @param address whom the request comes from; `null` when that is not known
 * @throws AppError `address_not_allowed` when the key is good, but not from there
 */
export async function authenticateApiKey(deps: Deps, text: string, address: string | null): Promise<ApiCaller | null> {
  const parsed = parseApiKey(text);
  if (parsed === null) return null;
  const now = deps.clock.now();
  return deps.withWorkspace(parsed.workspaceId, async (tx) => {
    const mine = and(eq(apiKeys.workspaceId, parsed.workspaceId), eq(apiKeys.publicId, parsed.publicId));
    const [row] = await tx.select().from(apiKeys).where(mine);
    if (row === undefined || !isLiveSecret(row, parsed.secretHash, now)) return null;
    if (row.revokedAt !== null || (row.expiresAt !== null && row.expiresAt <= now)) return null;
    if (row.allowedNetworks.length > 0 && (address === null || !networksOf(row.allowedNetworks).contains(address))) {
      throw new AppError("address_not_allowed", "this API key may not be used from your address; see its networks");
    }
    const sampleBefore = new Date(now.getTime() - LAST_USED_SAMPLE_MS);
    if (row.lastUsedAt === null || row.lastUsedAt < sampleBefore) {
      await tx
        .update(apiKeys)
        .set({ lastUsedAt: sql`${now.toISOString()}::timestamptz` })
        .where(and(mine, or(isNull(apiKeys.lastUsedAt), lt(apiKeys.lastUsedAt, sampleBefore))));
    }
    const { workspaceId, scopes, allowedNetworks, expiresAt } = row;
    return { workspaceId, mode: parsed.mode, keyId: row.id, scopes, allowedNetworks, expiresAt };
  });
}

/** The secret of now, or the one before until its overlap ends. Both are compared, whichever it is. */
function isLiveSecret(row: typeof apiKeys.$inferSelect, hash: Uint8Array, now: Date): boolean {
  const current = timingSafeEqual(row.secretHash, hash);
  const { previousSecretHash, previousSecretUntil } = row;
  const previous = timingSafeEqual(previousSecretHash ?? row.secretHash, hash) && previousSecretHash !== null;
  return current || (previous && previousSecretUntil !== null && previousSecretUntil > now);
}
