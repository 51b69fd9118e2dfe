import type { WorkspaceId } from "@patchbay/shared";
import { and, eq } from "drizzle-orm";
import { createSecretKey, randomBytes, type KeyObject } from "node:crypto";
import type { WithWorkspace } from "../../platform/db/index.ts";
import { newId, type Clock } from "../../platform/runtime/index.ts";
import type { KeyCache } from "./key-cache.ts";
import { checkedKey, keyCheck } from "./key-check.ts";
import type { WrapContext } from "./key-provider.ts";
import type { Keys } from "./keys.ts";
import { workspaceKeys } from "./tables.ts";

interface Deps {
  readonly withWorkspace: WithWorkspace;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly workspaceKeyCache: KeyCache<WorkspaceKey>;
}

/** Wraps a workspace's data keys. The key provider is asked for it once per cache time. */
export interface WorkspaceKey {
  readonly id: string;
  readonly key: KeyObject;
  /** Who wrapped it; with its access goes the key. */
  readonly provider: string;
}

/** The workspace's key that wraps, made and committed if there is none. */
export async function activeWorkspaceKey(deps: Deps, workspaceId: WorkspaceId): Promise<WorkspaceKey> {
  return deps.workspaceKeyCache.get(`${workspaceId}:active`, async () => {
    const row = (await findActive(deps, workspaceId)) ?? (await makeKey(deps, workspaceId));
    return unwrapWorkspaceKey(deps, row);
  });
}

/** @throws Error when there is no such key or it was destroyed */
export async function workspaceKeyById(deps: Deps, workspaceId: WorkspaceId, id: string): Promise<WorkspaceKey> {
  return deps.workspaceKeyCache.get(`${workspaceId}:${id}`, async () => {
    const mine = and(eq(workspaceKeys.workspaceId, workspaceId), eq(workspaceKeys.id, id));
    const [row] = await deps.withWorkspace(workspaceId, (tx) => tx.select().from(workspaceKeys).where(mine));
    if (row === undefined || row.state === "destroyed") throw new Error("the workspace key is gone");
    return unwrapWorkspaceKey(deps, row);
  });
}

export type WorkspaceKeyRow = typeof workspaceKeys.$inferSelect;

/** @throws KeyProviderError, or an Error when it is another key than the row's check value says */
export async function unwrapWorkspaceKey(deps: Pick<Deps, "keys">, row: WorkspaceKeyRow): Promise<WorkspaceKey> {
  const context = workspaceKeyContext(row.workspaceId, row.id);
  const key = checkedKey(await deps.keys.unwrap(row, context), row.keyCheck);
  return { id: row.id, key, provider: row.provider };
}

export function workspaceKeyContext(workspaceId: WorkspaceId, keyId: string): WrapContext {
  return { v: 1, use: "workspace_key", workspaceId, keyId };
}

async function findActive(deps: Deps, workspaceId: WorkspaceId): Promise<WorkspaceKeyRow | null> {
  const mine = and(eq(workspaceKeys.workspaceId, workspaceId), eq(workspaceKeys.state, "active"));
  const [row] = await deps.withWorkspace(workspaceId, (tx) => tx.select().from(workspaceKeys).where(mine));
  return row ?? null;
}

/** Wrapping may go over the network, hence outside the transaction. Who comes second takes the first one's key. */
async function makeKey(deps: Deps, workspaceId: WorkspaceId): Promise<WorkspaceKeyRow> {
  const id = newId<string>();
  const bytes = randomBytes(32);
  const held = await deps.keys.wrap(bytes, workspaceKeyContext(workspaceId, id));
  const key = createSecretKey(bytes);
  bytes.fill(0);
  await deps.withWorkspace(workspaceId, (tx) =>
    tx
      .insert(workspaceKeys)
      .values({
        workspaceId,
        id,
        state: "active",
        ...held,
        keyCheck: keyCheck(key),
        createdAt: deps.clock.now(),
      })
      .onConflictDoNothing(),
  );
  const row = await findActive(deps, workspaceId);
  if (row === null) throw new Error("the workspace key was not written");
  return row;
}
