import type { WorkspaceId } from "@patchbay/shared";
import { and, asc, eq, inArray, isNull, lte, or } from "drizzle-orm";
import { grants } from "../../domain/connections/index.ts";
import { readDatabaseNow } from "../../platform/db/index.ts";
import type { CredentialsDeps } from "./deps.ts";
import type { Flights } from "./flights.ts";
import { refresh } from "./refresh.ts";

/** Grants in one sweep; the next goes on. */
const GRANTS_MAX = 200;
const AT_ONCE = 4;
const SWEEP_MS_MAX = 5 * 60_000;

/**
 * Refreshes idle grants well before their refresh tokens end. Each has an instant of its own for it, spread by chance
 * when its tokens were stored; what fails comes again after its pause, behind those that were never tried.
 */
export async function keepGrantsAlive(
  deps: CredentialsDeps,
  flights: Flights,
  workspaceId: WorkspaceId,
): Promise<void> {
  const endMs = performance.now() + SWEEP_MS_MAX;
  const idle = await deps.withWorkspace(workspaceId, async (tx) => {
    const now = await readDatabaseNow(tx);
    return tx
      .select({ id: grants.id, rowVersion: grants.rowVersion })
      .from(grants)
      .where(
        and(
          eq(grants.workspaceId, workspaceId),
          inArray(grants.state, ["active", "uncertain", "refreshing"]),
          isNull(grants.handedOverAt),
          lte(grants.keepAliveAt, now),
          or(isNull(grants.refreshAt), lte(grants.refreshAt, now)),
        ),
      )
      .orderBy(asc(grants.failures), asc(grants.keepAliveAt))
      .limit(GRANTS_MAX);
  });
  const rows = idle.values();
  const work = async () => {
    for (const { id: grantId, rowVersion } of rows) {
      if (performance.now() > endMs) return;
      const target = { workspaceId, grantId };
      await flights.join(target, "wait", () => refresh(deps, target, rowVersion, "wait"));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}
