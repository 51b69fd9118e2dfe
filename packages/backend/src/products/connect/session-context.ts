import {
  AppError,
  decodeId,
  type ConnectionId,
  type ConnectSessionId,
  type ModelName,
  type Permission,
  type TenantUid,
  type WorkspaceId,
} from "@patchbay/shared";
import type { Connector } from "../../connectors/kit/index.ts";
import type { ConnectionRow } from "../../domain/connections/index.ts";

/** What one browser may do for one tenant, after its token and origin were checked. */
export interface SessionContext {
  readonly workspaceId: WorkspaceId;
  readonly sessionId: ConnectSessionId;
  readonly tenantUid: TenantUid;
  readonly tenantExternalId: string;
  readonly mode: "live" | "test";
  readonly hostName: string;
  readonly endUser: { readonly id: string; readonly label: string | null; readonly email: string | null };
  /** `null`: all. */
  readonly providers: readonly string[] | null;
  readonly models: readonly ModelName[] | null;
  readonly permissions: readonly Permission[];
  /** Limits manage and reauthorize to these; `null`: all of the tenant. */
  readonly connectionIds: readonly ConnectionId[] | null;
  /** A repair may come back with another account. */
  readonly allowAccountChange: boolean;
  /** The page's, as the browser said it. */
  readonly origin: string;
  readonly returnUrl: string | null;
  readonly locale: string | null;
  readonly expiresAt: Date;
}

/** @throws AppError `session_forbidden` */
export function requirePermission(session: SessionContext, permission: Permission): void {
  if (session.permissions.includes(permission)) return;
  throw new AppError("session_forbidden", `this session lacks the permission "${permission}"`);
}

export function offersProvider(session: SessionContext, provider: string): boolean {
  return session.providers === null || session.providers.includes(provider);
}

/** Whether the session may see and manage a connection at all; what it may do is asked apart. */
export function mayManage(session: SessionContext, row: ConnectionRow): boolean {
  return (
    row.workspaceId === session.workspaceId &&
    row.tenantUid === session.tenantUid &&
    (session.connectionIds === null || session.connectionIds.includes(row.id))
  );
}

/** Models that an authorization reads unless it asks for fewer. */
export function offeredModels(session: SessionContext, connector: Connector): readonly ModelName[] {
  const provided = new Set(Object.values(connector.resources).map((resource) => resource.model));
  return [...provided].filter((model) => session.models === null || session.models.includes(model));
}

/** The id in `conn_…`. @throws AppError `connection_not_found` */
export function connectionIdOf(text: string): ConnectionId {
  const id = decodeId("conn", text);
  if (id === null) throw new AppError("connection_not_found", "no such connection");
  return id;
}
