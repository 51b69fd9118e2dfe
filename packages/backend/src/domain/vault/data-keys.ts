import type { DataKeyId, TenantUid, WorkspaceId } from "@patchbay/shared";
import { and, eq, inArray } from "drizzle-orm";
import { createSecretKey, randomBytes, type KeyObject } from "node:crypto";
import type { NIL_UUID, Tx, WithWorkspace } from "../../platform/db/index.ts";
import { newId, type Clock } from "../../platform/runtime/index.ts";
import type { OpenKey } from "./envelope.ts";
import type { KeyCache } from "./key-cache.ts";
import { checkedKey, keyCheck } from "./key-check.ts";
import type { Keys } from "./keys.ts";
import { pae } from "./pae.ts";
import { dataKeys } from "./tables.ts";
import { activeWorkspaceKey, workspaceKeyById, type WorkspaceKey } from "./workspace-keys.ts";
import { XAES_NONCE_BYTES, openXaes, sealXaes } from "./xaes.ts";

export interface VaultDeps {
  readonly withWorkspace: WithWorkspace;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly workspaceKeyCache: KeyCache<WorkspaceKey>;
  readonly dataKeyCache: KeyCache<HeldKey>;
}

/** A data key in the cache: with the provider that it hangs on through its workspace key. */
export interface HeldKey extends OpenKey {
  readonly provider: string;
}

export type Purpose = "audit" | "credential" | "payload" | "raw" | "secret";

/** Which data key: one per workspace, tenant, purpose and scope. */
export interface DataKeySpec {
  readonly workspaceId: WorkspaceId;
  /** The nil UUID for keys of the workspace itself. */
  readonly tenantUid: TenantUid | typeof NIL_UUID;
  readonly purpose: Purpose;
  /** What within the purpose the key is for: a grant's id, a source and day. Left out: there is one key only. */
  readonly scope?: string;
}

/** The key was destroyed on purpose: what it sealed is gone for good. */
export class KeyDestroyedError extends Error {
  override readonly name = "KeyDestroyedError";
}

/**
 * The key that seals for `spec`, made and committed in a transaction of its own if there is none.
 *
 * @param former the old key whose values the new one takes over
 * @throws KeyDestroyedError when `former` was destroyed: what it sealed is to stay unreadable
 */
export async function activeDataKey(deps: VaultDeps, spec: DataKeySpec, former?: DataKeyId): Promise<OpenKey> {
  const name = [spec.workspaceId, spec.tenantUid, spec.purpose, spec.scope ?? ""].join(":");
  return deps.dataKeyCache.get(name, async () => {
    const row = (await findActive(deps, spec)) ?? (await makeKey(deps, spec, former));
    return unwrapKey(deps, row);
  });
}

/**
 * Keys by id: those not cached in one statement.
 *
 * @returns for each id the key, or why there is none: `KeyDestroyedError`, or an Error for an id that never was
 */
export async function dataKeysById(
  deps: VaultDeps,
  workspaceId: WorkspaceId,
  ids: readonly DataKeyId[],
): Promise<ReadonlyMap<DataKeyId, OpenKey | Error>> {
  const wanted = [...new Set(ids)];
  const missing = wanted.filter((id) => deps.dataKeyCache.peek(nameOf(workspaceId, id)) === undefined);
  const rows = missing.length === 0 ? null : findByIds(deps, workspaceId, missing);
  for (const id of missing) {
    deps.dataKeyCache.put(
      nameOf(workspaceId, id),
      (async () => {
        const row = (await rows)?.find((candidate) => candidate.id === id);
        if (row === undefined) throw new Error("no such data key in this workspace");
        return unwrapKey(deps, row);
      })(),
    );
  }
  const pairs = wanted.map(async (id) => {
    // What was evicted since is loaded by itself.
    const held = deps.dataKeyCache.get(nameOf(workspaceId, id), async () => {
      const [row] = await findByIds(deps, workspaceId, [id]);
      if (row === undefined) throw new Error("no such data key in this workspace");
      return unwrapKey(deps, row);
    });
    return [id, await held.catch(problemOf)] as const;
  });
  return new Map(await Promise.all(pairs));
}

/** @throws Error when the row was changed, or belongs to another key or place */
export function unwrapDataKey(wrapper: WorkspaceKey, row: Row): KeyObject {
  const nonce = row.wrapped.subarray(0, XAES_NONCE_BYTES);
  return checkedKey(openXaes(wrapper.key, nonce, row.wrapped.subarray(XAES_NONCE_BYTES), wrapData(row)), row.keyCheck);
}

/** Bound to all that `facts` say: see {@link unwrapDataKey}. */
export function wrapDataKey(wrapper: WorkspaceKey, facts: WrapFacts, bytes: Uint8Array): Uint8Array {
  const nonce = randomBytes(XAES_NONCE_BYTES);
  return Buffer.concat([nonce, sealXaes(wrapper.key, nonce, bytes, wrapData(facts))]);
}

type Row = typeof dataKeys.$inferSelect;
type WrapFacts = Pick<Row, "workspaceKeyId" | "workspaceId" | "tenantUid" | "id" | "purpose" | "scope">;

function nameOf(workspaceId: WorkspaceId, id: DataKeyId): string {
  return `${workspaceId}:${id}`;
}

/** A missing or destroyed key concerns the values it sealed only; trouble with the database concerns the caller. */
function problemOf(error: unknown): Error {
  if (error instanceof Error) return error;
  throw error;
}

async function findActive(deps: VaultDeps, spec: DataKeySpec): Promise<Row | null> {
  const mine = and(
    eq(dataKeys.workspaceId, spec.workspaceId),
    eq(dataKeys.tenantUid, spec.tenantUid as TenantUid),
    eq(dataKeys.purpose, spec.purpose),
    eq(dataKeys.scope, spec.scope ?? ""),
    eq(dataKeys.state, "active"),
  );
  const [row] = await deps.withWorkspace(spec.workspaceId, (tx) => tx.select().from(dataKeys).where(mine));
  return row ?? null;
}

function findByIds(deps: VaultDeps, workspaceId: WorkspaceId, ids: readonly DataKeyId[]): Promise<Row[]> {
  const mine = and(eq(dataKeys.workspaceId, workspaceId), inArray(dataKeys.id, [...ids]));
  return deps.withWorkspace(workspaceId, (tx) => tx.select().from(dataKeys).where(mine));
}

async function makeKey(deps: VaultDeps, spec: DataKeySpec, former?: DataKeyId): Promise<Row> {
  const wrapper = await activeWorkspaceKey(deps, spec.workspaceId);
  const bytes = randomBytes(32);
  const facts = {
    workspaceId: spec.workspaceId,
    id: newId<DataKeyId>(),
    tenantUid: spec.tenantUid as TenantUid,
    purpose: spec.purpose,
    scope: spec.scope ?? "",
    workspaceKeyId: wrapper.id,
  };
  const wrapped = wrapDataKey(wrapper, facts, bytes);
  const key = createSecretKey(bytes);
  bytes.fill(0);
  await deps.withWorkspace(spec.workspaceId, async (tx) => {
    if (former !== undefined) await holdOldKey(tx, spec.workspaceId, former);
    await tx
      .insert(dataKeys)
      .values({ ...facts, state: "active", wrapped, keyCheck: keyCheck(key), createdAt: deps.clock.now() })
      .onConflictDoNothing();
  });
  // Another process may have been quicker: its key is the one then.
  const row = await findActive(deps, spec);
  if (row === null) throw new Error("the data key was not written");
  return row;
}

/** Until the commit nobody destroys it; who waited to do so then sees the key that was made meanwhile. */
async function holdOldKey(tx: Tx, workspaceId: WorkspaceId, id: DataKeyId): Promise<void> {
  const mine = and(eq(dataKeys.workspaceId, workspaceId), eq(dataKeys.id, id), eq(dataKeys.state, "decrypt_only"));
  const [held] = await tx.select({ id: dataKeys.id }).from(dataKeys).where(mine).for("share");
  if (held === undefined) throw new KeyDestroyedError("the key to be replaced was destroyed");
}

async function unwrapKey(deps: VaultDeps, row: Row): Promise<HeldKey> {
  if (row.state === "destroyed") throw new KeyDestroyedError("the key of this value was destroyed");
  const wrapper = await workspaceKeyById(deps, row.workspaceId, row.workspaceKeyId);
  return {
    id: row.id,
    workspaceId: row.workspaceId,
    tenantUid: row.tenantUid,
    key: unwrapDataKey(wrapper, row),
    provider: wrapper.provider,
  };
}

/** A data key's row cannot be handed to another workspace, tenant, purpose or scope. */
function wrapData(row: WrapFacts) {
  return pae(["pb.dk1", row.workspaceKeyId, row.workspaceId, row.tenantUid, row.id, row.purpose, row.scope]);
}
