import type { WorkspaceId } from "@patchbay/shared";
import { and, asc, eq, lte } from "drizzle-orm";
import { grantDegraded, grants } from "../../domain/connections/index.ts";
import type { ConnectDeps } from "./deps.ts";

/** How long before its end the host is told. */
const WARN_MS = 30 * 86_400_000;
/** Grants in one sweep, those that end first; telling again changes nothing. */
const GRANTS_MAX = 200;

/**
 * A daily sweep: connections whose client certificate ends within 30 days are degraded with the reason
 * `certificate_expiring`; when it has ended, they need a new one. A certificate handed over anew ends both.
 */
export async function watchCertificates(deps: ConnectDeps, workspaceId: WorkspaceId): Promise<void> {
  const now = deps.clock.now();
  const ending = await deps.withWorkspace(workspaceId, async (tx) => {
    const mine = and(eq(grants.workspaceId, workspaceId), eq(grants.state, "active"));
    // Told by the sweep that tells of all deaths.
    await tx
      .update(grants)
      .set({ state: "dead", deadSince: now, updatedAt: now })
      .where(and(mine, lte(grants.certificateEndsAt, now)));
    return tx
      .select({ id: grants.id })
      .from(grants)
      .where(and(mine, lte(grants.certificateEndsAt, new Date(now.getTime() + WARN_MS))))
      .orderBy(asc(grants.certificateEndsAt))
      .limit(GRANTS_MAX);
  });
  for (const { id } of ending) await grantDegraded(deps, { workspaceId, grantId: id }, "certificate_expiring");
}
