import type { InboxReplay, ReplayId, WorkspaceId } from "@patchbay/shared";
import { and, eq } from "drizzle-orm";
import type { IngestDeps } from "../deps.ts";
import { inboxReplays } from "../tables.ts";
import { replayNotFound } from "./read-replays.ts";
import { toReplay } from "./to-replay.ts";

/**
 * Ends a replay after the page in hand; what it routed stays routed. One that has ended stays as it is.
 *
 * @throws AppError `inbox_replay_not_found`
 */
export async function cancelReplay(
  deps: Pick<IngestDeps, "app" | "clock">,
  input: { readonly workspaceId: WorkspaceId; readonly replayId: ReplayId },
): Promise<InboxReplay> {
  const { workspaceId, replayId } = input;
  const row = await deps.app.withWorkspace(workspaceId, async (tx) => {
    const mine = and(eq(inboxReplays.workspaceId, workspaceId), eq(inboxReplays.id, replayId));
    const [found] = await tx.select().from(inboxReplays).where(mine).for("update");
    if (found === undefined || found.status !== "running") return found;
    const [canceled] = await tx
      .update(inboxReplays)
      .set({ status: "canceled", finishedAt: deps.clock.now() })
      .where(mine)
      .returning();
    return canceled;
  });
  if (row === undefined) throw replayNotFound();
  return toReplay(row);
}
