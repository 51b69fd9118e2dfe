import { AppError, encodeId, type CreateWorkspace, type Workspace, type WorkspaceId } from "@patchbay/shared";
import { asc, eq } from "drizzle-orm";
import type { Tx, WithQueue, WithWorkspace } from "../../platform/db/index.ts";
import { queueWorkspaces } from "../../platform/lanes/index.ts";
import { newId, type Clock } from "../../platform/runtime/index.ts";
import { workspaces } from "./tables.ts";

interface Deps {
  readonly withWorkspace: WithWorkspace;
  readonly clock: Clock;
}

/** A workspace as the inside knows it. */
export type WorkspaceRow = typeof workspaces.$inferSelect;

/** Makes a workspace, and its entry by which sweeps find it. @param more.also runs last in the same transaction */
export async function createWorkspace(
  deps: Deps,
  input: CreateWorkspace,
  more: { readonly id?: WorkspaceId; readonly also?: (tx: Tx) => Promise<void> } = {},
): Promise<Workspace> {
  const row: WorkspaceRow = {
    id: more.id ?? newId<WorkspaceId>(),
    name: input.name,
    mode: input.mode,
    returnUrls: [...(input.returnUrls ?? [])],
    createdAt: deps.clock.now(),
  };
  await deps.withWorkspace(row.id, async (tx) => {
    await tx.insert(workspaces).values(row);
    await tx.insert(queueWorkspaces).values({ workspaceId: row.id, createdAt: row.createdAt });
    await more.also?.(tx);
  });
  return toWorkspace(row);
}

/** @throws AppError `workspace_not_found` */
export async function getWorkspace(deps: Pick<Deps, "withWorkspace">, workspaceId: WorkspaceId): Promise<WorkspaceRow> {
  const [row] = await deps.withWorkspace(workspaceId, (tx) =>
    tx.select().from(workspaces).where(eq(workspaces.id, workspaceId)),
  );
  if (row === undefined) throw new AppError("workspace_not_found", "no such workspace");
  return row;
}

export async function workspaceExists(deps: Pick<Deps, "withWorkspace">, workspaceId: WorkspaceId): Promise<boolean> {
  const rows = await deps.withWorkspace(workspaceId, (tx) =>
    tx.select({ id: workspaces.id }).from(workspaces).where(eq(workspaces.id, workspaceId)),
  );
  return rows.length > 0;
}

/** Ids of all workspaces, oldest first: for sweeps and operators. @param asWorker `withQueue` of the worker role */
export async function listWorkspaceIds(asWorker: WithQueue): Promise<readonly WorkspaceId[]> {
  const rows = await asWorker((tx) =>
    tx.select({ id: queueWorkspaces.workspaceId }).from(queueWorkspaces).orderBy(asc(queueWorkspaces.createdAt)),
  );
  return rows.map((row) => row.id);
}

export function toWorkspace(row: WorkspaceRow): Workspace {
  return {
    id: encodeId("ws", row.id),
    name: row.name,
    mode: row.mode,
    returnUrls: row.returnUrls,
    createdAt: row.createdAt.toISOString(),
  };
}
