import { encodeId, type Authorization } from "@patchbay/shared";
import { and, inArray } from "drizzle-orm";
import { loadConnection, toApi } from "../../domain/connections/index.ts";
import type { Tx } from "../../platform/db/index.ts";
import type { ConnectDeps } from "./deps.ts";
import { BURNT, endAuthorization } from "./end-authorization.ts";
import {
  OPEN_STATUSES,
  authorizationOfSession,
  hintOf,
  isOpen,
  ofAuthorization,
  type AuthorizationRow,
} from "./load-authorization.ts";
import type { SessionContext } from "./session-context.ts";
import { authorizations } from "./tables.ts";

/** The truth that the widget polls. @throws AppError `authorization_not_found` */
export async function getAuthorization(deps: ConnectDeps, session: SessionContext, id: string): Promise<Authorization> {
  const { workspaceId, tenantUid } = session;
  const row = await deps.withTenant(workspaceId, tenantUid, (tx) => authorizationOfSession(tx, session, id));
  const late = OPEN_STATUSES.some((status) => status === row.status) && !isOpen(row, deps.clock.now());
  if (late) await endAuthorization(deps, row, { status: "expired" });
  return deps.withTenant(workspaceId, tenantUid, async (tx) =>
    toAuthorization(deps, tx, session, await authorizationOfSession(tx, session, id)),
  );
}

/** Gives up. Tokens that were fetched already are given back by the sweep, if nobody else uses them. */
export async function cancelAuthorization(deps: ConnectDeps, session: SessionContext, id: string): Promise<void> {
  await deps.withTenant(session.workspaceId, session.tenantUid, async (tx) => {
    const row = await authorizationOfSession(tx, session, id);
    await tx
      .update(authorizations)
      .set({ status: "canceled", ...BURNT })
      .where(and(ofAuthorization(hintOf(row)), inArray(authorizations.status, [...OPEN_STATUSES])));
  });
}

export async function toAuthorization(
  deps: ConnectDeps,
  tx: Tx,
  session: SessionContext,
  row: AuthorizationRow,
): Promise<Authorization> {
  return {
    id: encodeId("auth", row.id),
    provider: row.provider,
    status: row.status,
    error: row.error,
    accountName: row.accountName,
    connection: row.status === "completed" ? await connectionOf(deps, tx, session, row) : null,
    missingScopes: row.missingScopes,
    expiresAt: row.expiresAt.toISOString(),
  };
}

async function connectionOf(deps: ConnectDeps, tx: Tx, session: SessionContext, row: AuthorizationRow) {
  if (row.connectionId === null) throw new Error("a completed authorization without its connection");
  const connection = await loadConnection(tx, row.workspaceId, row.connectionId);
  const runs = await deps.latestRuns(tx, row.workspaceId, [connection.id]);
  return toApi(connection, session.tenantExternalId, runs.get(connection.id) ?? null);
}
