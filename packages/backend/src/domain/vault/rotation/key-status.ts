import type { WorkspaceId } from "@patchbay/shared";
import { and, asc, count, eq, ne } from "drizzle-orm";
import { queueWorkspaces } from "../../../platform/lanes/index.ts";
import { dataKeys, keyRotations, workspaceKeys } from "../tables.ts";
import type { RotationDeps, RotationRow } from "./deps.ts";
import { kekName, listVaultNodes, type VaultNode } from "./vault-nodes.ts";

/** How the vault's keys stand, over all workspaces. */
export interface KeyStatus {
  /** Configured here or needed by rows; the primary first. */
  readonly versions: readonly {
    readonly provider: string;
    readonly version: string;
    readonly primary: boolean;
    readonly configured: boolean;
    /** Workspace keys that it wraps. */
    readonly rows: number;
  }[];
  /** Workspace keys that the primary does not wrap yet. */
  readonly pending: number;
  readonly nodes: readonly VaultNode[];
  readonly workspaceKeys: StateCounts;
  readonly dataKeys: StateCounts;
  readonly rotations: readonly RotationRow[];
}

export type StateCounts = Readonly<Record<"active" | "decrypt_only" | "destroyed", number>>;

type Deps = Pick<RotationDeps, "database" | "keys">;

/** One short transaction per workspace: for operators and a metric, not for requests of hosts. */
export async function keyStatus(deps: Deps): Promise<KeyStatus> {
  const { primary } = deps.keys;
  const rows = new Map<string, { provider: string; version: string; rows: number }>();
  for (const kek of deps.keys.versions) rows.set(kekName(kek), { ...kek, rows: 0 });
  const ofWorkspaces = { active: 0, decrypt_only: 0, destroyed: 0 };
  const ofData = { active: 0, decrypt_only: 0, destroyed: 0 };
  const rotations: RotationRow[] = [];
  const workspaces = await deps.database.withQueue((tx) =>
    tx.select({ id: queueWorkspaces.workspaceId }).from(queueWorkspaces).orderBy(asc(queueWorkspaces.createdAt)),
  );
  for (const { id } of workspaces) {
    const found = await readWorkspace(deps, id);
    for (const { provider, version, state, keys } of found.wrappers) {
      ofWorkspaces[state] += keys;
      if (state === "destroyed") continue;
      const kek = { provider, version };
      const entry = rows.get(kekName(kek)) ?? { ...kek, rows: 0 };
      entry.rows += keys;
      rows.set(kekName(kek), entry);
    }
    for (const { state, keys } of found.data) ofData[state] += keys;
    rotations.push(...found.open);
  }
  const versions = [...rows.values()].map((entry) => ({
    ...entry,
    primary: kekName(entry) === kekName(primary),
    configured: deps.keys.holds(entry),
  }));
  return {
    versions,
    pending: versions.reduce((sum, version) => sum + (version.primary ? 0 : version.rows), 0),
    nodes: await listVaultNodes(deps.database),
    workspaceKeys: ofWorkspaces,
    dataKeys: ofData,
    rotations,
  };
}

function readWorkspace(deps: Deps, workspaceId: WorkspaceId) {
  return deps.database.withWorkspace(workspaceId, async (tx) => ({
    wrappers: await tx
      .select({
        provider: workspaceKeys.provider,
        version: workspaceKeys.kekVersion,
        state: workspaceKeys.state,
        keys: count(),
      })
      .from(workspaceKeys)
      .where(eq(workspaceKeys.workspaceId, workspaceId))
      .groupBy(workspaceKeys.provider, workspaceKeys.kekVersion, workspaceKeys.state),
    data: await tx
      .select({ state: dataKeys.state, keys: count() })
      .from(dataKeys)
      .where(eq(dataKeys.workspaceId, workspaceId))
      .groupBy(dataKeys.state),
    open: await tx
      .select()
      .from(keyRotations)
      .where(and(eq(keyRotations.workspaceId, workspaceId), ne(keyRotations.state, "done"))),
  }));
}
