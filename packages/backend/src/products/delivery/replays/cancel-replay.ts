import type { DeliveryReplay, DeliveryReplayId, WorkspaceId } from "@patchbay/shared";
import { and, eq } from "drizzle-orm";
import type { DeliveryDeps } from "../deps.ts";
import { deliveryReplays } from "../tables.ts";
import { replayNotFound, toReplay } from "./read-replays.ts";

/**
 * Ends a replay; what it put on its way, about a second of its rate, still goes out. One that has ended stays as it is.
 *
 * @throws AppError `delivery_replay_not_found`
 */
export async function cancelReplay(
  deps: Pick<DeliveryDeps, "app" | "clock">,
  input: { readonly workspaceId: WorkspaceId; readonly replayId: DeliveryReplayId },
): Promise<DeliveryReplay> {
  const { workspaceId, replayId } = input;
  return deps.app.withWorkspace(workspaceId, async (tx) => {
    const mine = and(eq(deliveryReplays.workspaceId, workspaceId), eq(deliveryReplays.id, replayId));
    const [found] = await tx.select().from(deliveryReplays).where(mine).for("update");
    if (found === undefined) throw replayNotFound();
    if (found.status !== "running") return toReplay(tx, found);
    const changes = { status: "canceled", finishedAt: deps.clock.now() } as const;
    await tx.update(deliveryReplays).set(changes).where(mine);
    return toReplay(tx, { ...found, ...changes });
  });
}
