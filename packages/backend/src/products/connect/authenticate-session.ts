import { AppError, type WorkspaceId } from "@patchbay/shared";
import { and, eq } from "drizzle-orm";
import { tenantExternalId, workspaces } from "../../domain/workspaces/index.ts";
import type { ConnectDeps } from "./deps.ts";
import { hashOf, matchesHash } from "./opaque.ts";
import type { SessionContext } from "./session-context.ts";
import { readSessionToken } from "./session-token.ts";
import { connectSessions } from "./tables.ts";

/**
 * Who speaks, from where.
 *
 * @param origin the `Origin` header; `null` when the browser sent none
 * @throws AppError `unauthenticated`, `session_expired`, `origin_not_allowed`
 */
export async function authenticateSession(
  deps: ConnectDeps,
  token: string,
  origin: string | null,
): Promise<SessionContext> {
  const workspaceId = readSessionToken(token);
  if (workspaceId === null) throw new AppError("unauthenticated", "not a connect session token");
  const found = await load(deps, workspaceId, token);
  if (found === null) throw new AppError("unauthenticated", "no such connect session");
  const { session, workspace, externalId } = found;
  if (session.revokedAt !== null || session.expiresAt <= deps.clock.now()) {
    throw new AppError("session_expired", "this connect session has ended; mint a new one");
  }
  if (origin === null || !session.allowedOrigins.includes(origin)) {
    throw new AppError("origin_not_allowed", "this page's origin is not among the session's allowedOrigins");
  }
  return {
    workspaceId,
    sessionId: session.id,
    tenantUid: session.tenantUid,
    tenantExternalId: externalId,
    mode: workspace.mode,
    hostName: workspace.name,
    endUser: { id: session.endUserId, label: session.endUserLabel, email: session.endUserEmail },
    providers: session.providers,
    models: session.models,
    permissions: session.permissions,
    connectionIds: session.connectionIds,
    allowAccountChange: session.allowAccountChange,
    origin,
    returnUrl: session.returnUrl,
    locale: session.locale,
    expiresAt: session.expiresAt,
  };
}

/** `null` when the token is unknown or its tenant was erased. */
async function load(deps: ConnectDeps, workspaceId: WorkspaceId, token: string) {
  return deps.withWorkspace(workspaceId, async (tx) => {
    const [row] = await tx
      .select({ session: connectSessions, workspace: workspaces })
      .from(connectSessions)
      .innerJoin(workspaces, eq(workspaces.id, connectSessions.workspaceId))
      .where(and(eq(connectSessions.workspaceId, workspaceId), eq(connectSessions.tokenHash, hashOf(token))));
    if (row === undefined || !matchesHash(token, row.session.tokenHash)) return null;
    const externalId = await tenantExternalId(tx, { workspaceId, uid: row.session.tenantUid });
    return externalId === null ? null : { ...row, externalId };
  });
}
