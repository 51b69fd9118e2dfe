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
 * `certificate_expiring`; when it has ended, they need a new one at once. A certificate handed over anew ends both.
 */
export async function watchCertificates(deps: ConnectDeps, workspaceId: WorkspaceId): Promise<void> {
  const now = deps.clock.now();
  const ending = await deps.withWorkspace(workspaceId, (tx) =>
    tx
      .select({ id: grants.id, rowVersion: grants.rowVersion, endsAt: grants.certificateEndsAt })
      .from(grants)
      .where(
        and(
          eq(grants.workspaceId, workspaceId),
          eq(grants.state, "active"),
          lte(grants.certificateEndsAt, new Date(now.getTime() + WARN_MS)),
        ),
      )
      .orderBy(asc(grants.certificateEndsAt))
      .limit(GRANTS_MAX),
  );
  for (const { id: grantId, rowVersion, endsAt } of ending) {
    const target = { workspaceId, grantId };
    if (endsAt !== null && endsAt <= now) await deps.credentials.condemn(target, rowVersion);
    else await grantDegraded(deps, target, "certificate_expiring");
  }
}
