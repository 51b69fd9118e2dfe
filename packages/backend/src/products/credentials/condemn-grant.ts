import { grants } from "../../domain/connections/index.ts";
import { deadForGoodSince, isLeased } from "./claim-refresh.ts";
import type { CredentialsDeps, GrantTarget } from "./deps.ts";
import { lockGrant, ofGrant } from "./load-grant.ts";

/**
 * Ends a grant whose tokens its token endpoint still refreshes while the API takes none of them: only a person helps.
 * Nothing happens when the grant has moved on since.
 */
export async function condemnGrant(deps: CredentialsDeps, target: GrantTarget, seenRowVersion: number): Promise<void> {
  const deadSince = await deps.withWorkspace(target.workspaceId, async (tx) => {
    const seen = await lockGrant(tx, target);
    if (seen === null) return null;
    const { row, now } = seen;
    const isOver = row.state === "ended" || row.state === "dead" || row.rowVersion !== seenRowVersion;
    if (isOver || isLeased(row, now)) return null;
    const since = deadForGoodSince(now, deps.timings);
    await tx
      .update(grants)
      .set({ state: "dead", deadSince: since, fence: row.fence + 1, leaseUntil: null, attemptId: null, updatedAt: now })
      .where(ofGrant(target));
    return since;
  });
  if (deadSince === null) return;
  deps.news.tell(target);
  await deps.onGrantDead({ ...target, deadSince });
}
