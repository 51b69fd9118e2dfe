import type { WorkspaceId } from "@patchbay/shared";
import { and, asc, eq, gt, inArray, lte } from "drizzle-orm";
import { grants } from "../../domain/connections/index.ts";
import { deadForGoodSince } from "./claim-refresh.ts";
import type { CredentialsDeps } from "./deps.ts";
import type { Flights } from "./flights.ts";
import { refresh } from "./refresh.ts";

/** Grants in one sweep; the next goes on. */
const GRANTS_MAX = 100;
/** A refresh token that ends within this time is used, so that an idle account does not lose its connection. */
const REFRESH_TOKEN_MARGIN_MS = 30 * 86_400_000;
/** Deaths of the last day are told again, in case a process died between the death and the telling. */
const TELL_AGAIN_MS = 86_400_000;

/** Refreshes idle grants before their refresh tokens end, and tells of grants whose provisional death is over. */
export async function keepGrantsAlive(
  deps: CredentialsDeps,
  flights: Flights,
  workspaceId: WorkspaceId,
): Promise<void> {
  const now = deps.clock.now();
  const { idle, dead } = await deps.withWorkspace(workspaceId, async (tx) => {
    const mine = eq(grants.workspaceId, workspaceId);
    const ending = lte(grants.refreshExpiresAt, new Date(now.getTime() + REFRESH_TOKEN_MARGIN_MS));
    const buried = lte(grants.deadSince, deadForGoodSince(now));
    const recent = gt(grants.deadSince, new Date(now.getTime() - TELL_AGAIN_MS));
    return {
      idle: await tx
        .select()
        .from(grants)
        .where(and(mine, inArray(grants.state, ["active", "uncertain"]), ending))
        .orderBy(asc(grants.refreshExpiresAt))
        .limit(GRANTS_MAX),
      dead: await tx
        .select()
        .from(grants)
        .where(and(mine, eq(grants.state, "dead"), buried, recent))
        .limit(GRANTS_MAX),
    };
  });
  for (const row of idle) {
    const target = { workspaceId, grantId: row.id };
    await flights.join(target, () => refresh(deps, target, row.rowVersion));
  }
  for (const row of dead) await deps.onGrantDead({ workspaceId, grantId: row.id });
}
