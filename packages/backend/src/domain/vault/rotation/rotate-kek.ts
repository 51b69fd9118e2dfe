import type { WorkspaceId } from "@patchbay/shared";
import { and, asc, count, eq, gt, ne, or, type SQL } from "drizzle-orm";
import type { KeyObject } from "node:crypto";
import { queueWorkspaces } from "../../../platform/lanes/index.ts";
import { VaultKeyError, concernsAllKeys } from "../key-provider.ts";
import type { KekId, WrappedKey } from "../keys.ts";
import { workspaceKeys } from "../tables.ts";
import { unwrapWorkspaceKey, workspaceKeyContext, type WorkspaceKeyRow } from "../workspace-keys.ts";
import type { RotationDeps } from "./deps.ts";
import { STALE_SECONDS, kekName, listVaultNodes } from "./vault-nodes.ts";

type Deps = Omit<RotationDeps, "columns">;

export interface KekProgress {
  readonly done: number;
  readonly total: number;
}

export interface KekRotation {
  readonly primary: KekId;
  /** Keys that were wrapped anew. */
  readonly renewed: number;
  /** Ids of workspace keys whose wrapping is not what was written; what they guard cannot be opened either. */
  readonly damaged: readonly string[];
  /** Configured versions that nothing is wrapped with any more. */
  readonly retirable: readonly KekId[];
}

const ROWS_MAX = 100;
/** A key service's answers take tens of milliseconds. */
const WORKSPACES_AT_ONCE = 4;

/**
 * Wraps every workspace key with the primary version that it is not wrapped with yet. No data is touched: one row per
 * workspace. Safe to run twice, at the same time, and to be killed at any moment.
 *
 * @param onProgress is told after each batch
 * @throws VaultKeyError while a running process would not find its way: it lacks the primary, or wraps with another
 */
export async function rotateKek(
  deps: Deps,
  onProgress: (progress: KekProgress) => void = () => {},
): Promise<KekRotation> {
  const { primary } = deps.keys;
  await refuseWhileNodesLag(deps, primary);
  const workspaces = await listWorkspaces(deps);
  let total = 0;
  for (const workspaceId of workspaces) total += await countRows(deps, workspaceId, otherThan(primary));
  let renewed = 0;
  const damaged: string[] = [];
  const left = [...workspaces];
  const work = async () => {
    for (let workspaceId = left.shift(); workspaceId !== undefined; workspaceId = left.shift()) {
      for await (const count of rewrapWorkspace(deps, workspaceId, damaged)) {
        renewed += count;
        onProgress({ done: renewed, total: Math.max(total, renewed) });
      }
    }
  };
  await Promise.all(
    Array.from({ length: WORKSPACES_AT_ONCE }, () =>
      work().catch((error: unknown) => {
        left.length = 0;
        throw error;
      }),
    ),
  );
  return { primary, renewed, damaged, retirable: await findRetirable(deps) };
}

/** Versions that are configured, wrap nothing and will not: they may be taken out of the configuration. */
export async function findRetirable(deps: Deps): Promise<readonly KekId[]> {
  const others = deps.keys.versions.filter((kek) => kekName(kek) !== kekName(deps.keys.primary));
  const unused = [];
  for (const kek of others) if ((await countWrapped(deps, kek)) === 0) unused.push(kek);
  return unused;
}

/** How many keys a version wraps, over all workspaces. */
export async function countWrapped(deps: Deps, kek: KekId): Promise<number> {
  let rows = 0;
  for (const workspaceId of await listWorkspaces(deps)) rows += await countRows(deps, workspaceId, wrappedWith(kek));
  return rows;
}

async function refuseWhileNodesLag(deps: Deps, primary: KekId): Promise<void> {
  const name = kekName(primary);
  for (const node of await listVaultNodes(deps.database)) {
    if (node.versions[0] === name) continue;
    const problem = node.versions.includes(name)
      ? `still wraps new keys with "${node.versions[0] ?? ""}"`
      : `does not hold the key "${name}"`;
    throw new VaultKeyError(
      `The process ${node.id} ${problem}. Restart every process with the new key file or setting, then rotate; ` +
        `one that was killed counts for ${STALE_SECONDS} seconds more.`,
    );
  }
}

async function listWorkspaces(deps: Deps): Promise<readonly WorkspaceId[]> {
  const rows = await deps.database.withQueue((tx) =>
    tx.select({ id: queueWorkspaces.workspaceId }).from(queueWorkspaces).orderBy(asc(queueWorkspaces.createdAt)),
  );
  return rows.map((row) => row.id);
}

async function countRows(deps: Deps, workspaceId: WorkspaceId, which: SQL | undefined): Promise<number> {
  const mine = and(eq(workspaceKeys.workspaceId, workspaceId), ne(workspaceKeys.state, "destroyed"), which);
  const [row] = await deps.database.withWorkspace(workspaceId, (tx) =>
    tx.select({ rows: count() }).from(workspaceKeys).where(mine),
  );
  return row?.rows ?? 0;
}

/** Batch by batch, how many were wrapped anew. What another process took on meanwhile is not counted. */
async function* rewrapWorkspace(deps: Deps, workspaceId: WorkspaceId, damaged: string[]): AsyncGenerator<number> {
  let after: string | undefined;
  do {
    const mine = and(
      eq(workspaceKeys.workspaceId, workspaceId),
      ne(workspaceKeys.state, "destroyed"),
      otherThan(deps.keys.primary),
      after === undefined ? undefined : gt(workspaceKeys.id, after),
    );
    const rows = await deps.database.withWorkspace(workspaceId, (tx) =>
      tx.select().from(workspaceKeys).where(mine).orderBy(asc(workspaceKeys.id)).limit(ROWS_MAX),
    );
    const rewrapped: Rewrapped[] = [];
    for (const row of rows) {
      const key = await openOrNull(deps, row);
      if (key === null) damaged.push(row.id);
      else rewrapped.push({ row, held: await rewrap(deps, row, key) });
    }
    if (rewrapped.length > 0) yield await write(deps, workspaceId, rewrapped);
    after = rows.length < ROWS_MAX ? undefined : rows.at(-1)?.id;
  } while (after !== undefined);
}

/** @throws what concerns more than this row: a version that is not configured, a service that does not answer */
async function openOrNull(deps: Deps, row: WorkspaceKeyRow): Promise<KeyObject | null> {
  try {
    return (await unwrapWorkspaceKey(deps, row)).key;
  } catch (error) {
    if (concernsAllKeys(error)) throw error;
    return null;
  }
}

interface Rewrapped {
  readonly row: WorkspaceKeyRow;
  readonly held: WrappedKey;
}

/** The new wrapping is opened before the old one is given up. */
async function rewrap(deps: Deps, row: WorkspaceKeyRow, key: KeyObject): Promise<WrappedKey> {
  const context = workspaceKeyContext(row.workspaceId, row.id);
  const bytes = key.export();
  const held = await deps.keys.wrap(bytes, context, deps.keys.primary);
  bytes.fill(0);
  await unwrapWorkspaceKey(deps, { ...row, ...held });
  return held;
}

/** @returns how many were written; a row that changed meanwhile is left as it is */
async function write(deps: Deps, workspaceId: WorkspaceId, rewrapped: readonly Rewrapped[]): Promise<number> {
  const enter = await deps.journal.open(workspaceId);
  return deps.database.withWorkspace(workspaceId, async (tx) => {
    let keys = 0;
    for (const { row, held } of rewrapped) {
      const unchanged = and(
        eq(workspaceKeys.workspaceId, workspaceId),
        eq(workspaceKeys.id, row.id),
        eq(workspaceKeys.provider, row.provider),
        eq(workspaceKeys.kekVersion, row.kekVersion),
        ne(workspaceKeys.state, "destroyed"),
      );
      const written = await tx.update(workspaceKeys).set(held).where(unchanged).returning({ id: workspaceKeys.id });
      keys += written.length;
    }
    if (keys > 0) await enter(tx, { is: "rewrapped", keys, by: deps.keys.primary });
    return keys;
  });
}

function wrappedWith(kek: KekId) {
  return and(eq(workspaceKeys.provider, kek.provider), eq(workspaceKeys.kekVersion, kek.version));
}

function otherThan(kek: KekId) {
  return or(ne(workspaceKeys.provider, kek.provider), ne(workspaceKeys.kekVersion, kek.version));
}
