import {
  AppError,
  DEFAULT_SCOPES,
  encodeId,
  type ApiKeyId,
  type ApiKeyWithSecret,
  type CreateApiKey,
  type Scope,
  type WorkspaceId,
} from "@patchbay/shared";
import { and, eq, isNull, lt, or, sql } from "drizzle-orm";
import { timingSafeEqual } from "node:crypto";
import type { WithWorkspace } from "../../platform/db/index.ts";
import { newId, type Clock } from "../../platform/runtime/index.ts";
import { makeApiKey, parseApiKey } from "./api-key-format.ts";
import { apiKeys, workspaces } from "./tables.ts";

interface Deps {
  readonly withWorkspace: WithWorkspace;
  readonly clock: Clock;
}

/** Who calls: a workspace's backend. */
export interface ApiCaller {
  readonly workspaceId: WorkspaceId;
  readonly mode: "live" | "test";
  readonly keyId: ApiKeyId;
  readonly scopes: readonly Scope[];
}

/** Makes a key. Its secret is in the answer and nowhere else. @throws AppError `workspace_not_found` */
export async function createApiKey(
  deps: Deps,
  input: CreateApiKey & { readonly workspaceId: WorkspaceId },
): Promise<ApiKeyWithSecret> {
  return deps.withWorkspace(input.workspaceId, async (tx) => {
    const [workspace] = await tx.select().from(workspaces).where(eq(workspaces.id, input.workspaceId));
    if (workspace === undefined) throw new AppError("workspace_not_found", "no such workspace");
    const key = makeApiKey(input.workspaceId, workspace.mode);
    const row = {
      workspaceId: input.workspaceId,
      id: newId<ApiKeyId>(),
      publicId: key.publicId,
      secretHash: key.secretHash,
      name: input.name,
      scopes: [...(input.scopes ?? DEFAULT_SCOPES)],
      expiresAt: input.expiresAt === undefined ? null : new Date(input.expiresAt),
      createdAt: deps.clock.now(),
    };
    await tx.insert(apiKeys).values(row);
    return {
      id: encodeId("key", row.id),
      name: row.name,
      scopes: row.scopes,
      expiresAt: row.expiresAt?.toISOString() ?? null,
      createdAt: row.createdAt.toISOString(),
      secret: key.text.reveal(),
    };
  });
}

/** How old `lastUsedAt` may be before it is written again. */
const LAST_USED_SAMPLE_MS = 60_000;

/** The caller behind a key, or `null` when the key is malformed, unknown, revoked or expired. */
export async function authenticateApiKey(deps: Deps, text: string): Promise<ApiCaller | null> {
  const parsed = parseApiKey(text);
  if (parsed === null) return null;
  const now = deps.clock.now();
  return deps.withWorkspace(parsed.workspaceId, async (tx) => {
    const mine = and(eq(apiKeys.workspaceId, parsed.workspaceId), eq(apiKeys.publicId, parsed.publicId));
    const [row] = await tx.select().from(apiKeys).where(mine);
    if (row === undefined || !timingSafeEqual(row.secretHash, parsed.secretHash)) return null;
    if (row.revokedAt !== null || (row.expiresAt !== null && row.expiresAt <= now)) return null;
    const sampleBefore = new Date(now.getTime() - LAST_USED_SAMPLE_MS);
    if (row.lastUsedAt === null || row.lastUsedAt < sampleBefore) {
      await tx
        .update(apiKeys)
        .set({ lastUsedAt: sql`${now.toISOString()}::timestamptz` })
        .where(and(mine, or(isNull(apiKeys.lastUsedAt), lt(apiKeys.lastUsedAt, sampleBefore))));
    }
    return { workspaceId: row.workspaceId, mode: parsed.mode, keyId: row.id, scopes: row.scopes };
  });
}
