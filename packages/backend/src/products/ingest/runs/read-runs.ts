import {
  AppError,
  decodeId,
  encodeId,
  type ConnectionId,
  type Page,
  type Run,
  type RunId,
  type WorkspaceId,
} from "@patchbay/shared";
import { and, desc, eq, isNull, lt } from "drizzle-orm";
import { tenants } from "../../../domain/workspaces/index.ts";
import type { IngestDeps } from "../deps.ts";
import { runs } from "../tables.ts";
import { toRun } from "./to-run.ts";

/** Runs, newest first. @throws AppError `invalid_cursor` */
export async function listRuns(
  deps: Pick<IngestDeps, "app">,
  input: {
    readonly workspaceId: WorkspaceId;
    readonly limit: number;
    readonly cursor?: string | undefined;
    readonly connectionId?: ConnectionId | undefined;
  },
): Promise<Page<Run>> {
  const { workspaceId, limit, connectionId } = input;
  const before = input.cursor === undefined ? undefined : decodeId("run", input.cursor);
  if (before === null) throw new AppError("invalid_cursor", "the cursor is not one of this list");
  const rows = await deps.app.withWorkspace(workspaceId, (tx) =>
    tx
      .select({ run: runs, tenantId: tenants.externalId })
      .from(runs)
      .innerJoin(tenants, and(eq(tenants.workspaceId, runs.workspaceId), eq(tenants.uid, runs.tenantUid)))
      .where(
        and(
          eq(runs.workspaceId, workspaceId),
          isNull(tenants.erasedAt),
          connectionId === undefined ? undefined : eq(runs.connectionId, connectionId),
          before === undefined ? undefined : lt(runs.id, before),
        ),
      )
      .orderBy(desc(runs.id))
      .limit(limit + 1),
  );
  const page = rows.slice(0, limit);
  const hasMore = rows.length > limit;
  const last = page.at(-1);
  return {
    data: page.map((row) => toRun(row.run, row.tenantId)),
    hasMore,
    nextCursor: hasMore && last !== undefined ? encodeId("run", last.run.id) : null,
  };
}

/** @throws AppError `run_not_found` */
export async function getRun(
  deps: Pick<IngestDeps, "app">,
  input: { readonly workspaceId: WorkspaceId; readonly runId: RunId },
): Promise<Run> {
  const { workspaceId, runId } = input;
  const [row] = await deps.app.withWorkspace(workspaceId, (tx) =>
    tx
      .select({ run: runs, tenantId: tenants.externalId })
      .from(runs)
      .innerJoin(tenants, and(eq(tenants.workspaceId, runs.workspaceId), eq(tenants.uid, runs.tenantUid)))
      .where(and(eq(runs.workspaceId, workspaceId), eq(runs.id, runId), isNull(tenants.erasedAt))),
  );
  if (row === undefined) throw new AppError("run_not_found", "no such run");
  return toRun(row.run, row.tenantId);
}
