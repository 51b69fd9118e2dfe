import type { WorkspaceId } from "@patchbay/shared";
import { and, eq, inArray, lte } from "drizzle-orm";
import type { ConnectDeps } from "./deps.ts";
import { endAuthorization } from "./end-authorization.ts";
import { giveBackUnused } from "./give-back.ts";
import { OPEN_STATUSES } from "./load-authorization.ts";
import { authorizations } from "./tables.ts";

/** Authorizations in one sweep; the next goes on. */
const ROWS_MAX = 200;

/**
 * A sweep: ends authorizations whose ten minutes are over, and gives back grants that nobody uses. Tokens of a grant
 * that a live connection uses are never touched.
 */
export async function expireAuthorizations(deps: ConnectDeps, workspaceId: WorkspaceId): Promise<void> {
  const late = await deps.withWorkspace(workspaceId, (tx) =>
    tx
      .select()
      .from(authorizations)
      .where(
        and(
          eq(authorizations.workspaceId, workspaceId),
          inArray(authorizations.status, [...OPEN_STATUSES]),
          lte(authorizations.expiresAt, deps.clock.now()),
        ),
      )
      .limit(ROWS_MAX),
  );
  for (const row of late) await endAuthorization(deps, row, { status: "expired" });
  await giveBackUnused(deps, workspaceId);
}
