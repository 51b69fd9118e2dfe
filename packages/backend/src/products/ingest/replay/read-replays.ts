import {
  AppError,
  decodeId,
  encodeId,
  type InboxReplay,
  type Page,
  type ReplayId,
  type WorkspaceId,
} from "@patchbay/shared";
import { and, desc, eq, lt } from "drizzle-orm";
import type { IngestDeps } from "../deps.ts";
import { inboxReplays } from "../tables.ts";
import { toReplay } from "./to-replay.ts";

/** @throws AppError `inbox_replay_not_found` */
export async function getReplay(
  deps: Pick<IngestDeps, "app">,
  input: { readonly workspaceId: WorkspaceId; readonly replayId: ReplayId },
): Promise<InboxReplay> {
  const { workspaceId, replayId } = input;
  const [row] = await deps.app.withWorkspace(workspaceId, (tx) =>
    tx
      .select()
      .from(inboxReplays)
      .where(and(eq(inboxReplays.workspaceId, workspaceId), eq(inboxReplays.id, replayId))),
  );
  if (row === undefined) throw replayNotFound();
  return toReplay(row);
}

/** Newest first. @throws AppError `invalid_cursor` */
export async function listReplays(
  deps: Pick<IngestDeps, "app">,
  input: { readonly workspaceId: WorkspaceId; readonly limit: number; readonly cursor?: string | undefined },
): Promise<Page<InboxReplay>> {
  const { workspaceId, limit } = input;
  const before = input.cursor === undefined ? undefined : decodeId("irp", input.cursor);
  if (before === null) throw new AppError("invalid_cursor", "the cursor is not one of this list");
  const rows = await deps.app.withWorkspace(workspaceId, (tx) =>
    tx
      .select()
      .from(inboxReplays)
      .where(
        and(eq(inboxReplays.workspaceId, workspaceId), before === undefined ? undefined : lt(inboxReplays.id, before)),
      )
      .orderBy(desc(inboxReplays.id))
      .limit(limit + 1),
  );
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  const hasMore = rows.length > limit;
  return { data: page.map(toReplay), hasMore, nextCursor: hasMore && last ? encodeId("irp", last.id) : null };
}

export function replayNotFound(): AppError {
  return new AppError("inbox_replay_not_found", "no replay of the inbox with this id in this workspace");
}
