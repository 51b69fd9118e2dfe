import type { WorkspaceId } from "@patchbay/shared";
import { and, eq, inArray, lte, min, not, notInArray } from "drizzle-orm";
import type { Tx } from "../../platform/db/index.ts";
import type { ConnectDeps } from "./deps.ts";
import { endAuthorization } from "./end-authorization.ts";
import { giveBackUnused, hasUnusedGrants } from "./give-back.ts";
import { OPEN_STATUSES } from "./load-authorization.ts";
import { authorizations, connectSessions } from "./tables.ts";

/** Authorizations in one sweep; the next goes on. */
const ROWS_MAX = 200;

/**
 * A sweep: ends authorizations whose ten minutes are over, and gives back grants that nobody uses. Tokens of a grant
 * that a live connection uses are never touched. What ended long ago is deleted.
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
  await prune(deps, workspaceId);
}

/** When something of a workspace ends, or can be given back or forgotten. */
export async function nextExpiry(
  deps: Pick<ConnectDeps, "clock">,
  tx: Tx,
  workspaceId: WorkspaceId,
): Promise<Date | null> {
  if (await hasUnusedGrants(tx, workspaceId)) return deps.clock.now();
  const mine = eq(authorizations.workspaceId, workspaceId);
  const isOpen = inArray(authorizations.status, [...OPEN_STATUSES]);
  const [[open], [ended], [session]] = await Promise.all([
    tx
      .select({ at: min(authorizations.expiresAt) })
      .from(authorizations)
      .where(and(mine, isOpen)),
    tx
      .select({ at: min(authorizations.expiresAt) })
      .from(authorizations)
      .where(and(mine, not(isOpen))),
    tx
      .select({ at: min(connectSessions.expiresAt) })
      .from(connectSessions)
      .where(eq(connectSessions.workspaceId, workspaceId)),
  ]);
  const due = [
    [open?.at, 0],
    [ended?.at, ENDED_KEPT_MS],
    [session?.at, SESSIONS_KEPT_MS],
  ] as const;
  const instants = due.flatMap(([at, keptMs]) => (at instanceof Date ? [at.getTime() + keptMs] : []));
  return instants.length === 0 ? null : new Date(Math.min(...instants));
}

/** A host that asks why a try failed asks within this time. */
const ENDED_KEPT_MS = 30 * 86_400_000;
const SESSIONS_KEPT_MS = 86_400_000;

async function prune(deps: ConnectDeps, workspaceId: WorkspaceId): Promise<void> {
  const now = deps.clock.now().getTime();
  await deps.withWorkspace(workspaceId, async (tx) => {
    const old = lte(connectSessions.expiresAt, new Date(now - SESSIONS_KEPT_MS));
    await tx.delete(connectSessions).where(and(eq(connectSessions.workspaceId, workspaceId), old));
    const ended = notInArray(authorizations.status, [...OPEN_STATUSES]);
    const forgotten = lte(authorizations.expiresAt, new Date(now - ENDED_KEPT_MS));
    await tx.delete(authorizations).where(and(eq(authorizations.workspaceId, workspaceId), ended, forgotten));
  });
}
