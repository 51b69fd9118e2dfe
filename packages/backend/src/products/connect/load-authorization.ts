import { AppError, decodeId, type AuthorizationId, type AuthorizationStatus, type WorkspaceId } from "@patchbay/shared";
import { and, eq } from "drizzle-orm";
import type { Tx } from "../../platform/db/index.ts";
import type { AuthorizationHint } from "./opaque.ts";
import type { SessionContext } from "./session-context.ts";
import { authorizations } from "./tables.ts";

export type AuthorizationRow = typeof authorizations.$inferSelect;

/** Statuses from which an authorization can still come to a connection. */
export const OPEN_STATUSES = ["created", "started", "exchanged", "confirmed"] as const satisfies AuthorizationStatus[];

export function isOpen(row: AuthorizationRow, now: Date): boolean {
  return OPEN_STATUSES.some((status) => status === row.status) && row.expiresAt > now;
}

export function ofAuthorization({ workspaceId, authorizationId }: AuthorizationHint) {
  return and(eq(authorizations.workspaceId, workspaceId), eq(authorizations.id, authorizationId));
}

export async function findAuthorization(
  tx: Tx,
  hint: AuthorizationHint,
  lock?: "update",
): Promise<AuthorizationRow | null> {
  const rows = tx.select().from(authorizations).where(ofAuthorization(hint));
  const [row] = await (lock === undefined ? rows : rows.for(lock));
  return row ?? null;
}

/**
 * One of the session's own end user, perhaps started with an earlier session of the same person.
 *
 * @throws AppError `authorization_not_found`, also for those of others
 */
export async function authorizationOfSession(
  tx: Tx,
  session: SessionContext,
  id: string,
  lock?: "update",
): Promise<AuthorizationRow> {
  const row = await findAuthorization(tx, { workspaceId: session.workspaceId, authorizationId: idOf(id) }, lock);
  const same = row?.tenantUid === session.tenantUid && row.endUserId === session.endUser.id;
  if (row === null || !same) throw notFound();
  return row;
}

export function hintOf(row: { workspaceId: WorkspaceId; id: AuthorizationId }): AuthorizationHint {
  return { workspaceId: row.workspaceId, authorizationId: row.id };
}

function idOf(text: string): AuthorizationId {
  const id = decodeId("auth", text);
  if (id === null) throw notFound();
  return id;
}

function notFound(): AppError {
  return new AppError("authorization_not_found", "no such authorization of this end user");
}
