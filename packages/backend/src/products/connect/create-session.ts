import {
  AppError,
  PERMISSIONS,
  encodeId,
  type ConnectionId,
  type ConnectSession,
  type ConnectSessionId,
  type CreateConnectSession,
  type CreateReauthorizeSession,
  type Permission,
  type TenantUid,
  type WorkspaceId,
} from "@patchbay/shared";
import { loadConnection } from "../../domain/connections/index.ts";
import { getWorkspace, holdTenant, tenantRef, type WorkspaceRow } from "../../domain/workspaces/index.ts";
import { newId } from "../../platform/runtime/index.ts";
import type { ConnectDeps } from "./deps.ts";
import { hashOf } from "./opaque.ts";
import { connectionIdOf } from "./session-context.ts";
import { makeSessionToken } from "./session-token.ts";
import { connectSessions } from "./tables.ts";

const LIFETIME_SECONDS = 900;

/**
 * Mints the right of one browser to act for one tenant. The host calls this after it authenticated its user.
 *
 * @throws AppError `tenant_not_found`, `connection_not_found`, `provider_not_found`, `invalid_request`
 */
export async function createSession(
  deps: ConnectDeps,
  input: { readonly workspaceId: WorkspaceId; readonly body: CreateConnectSession },
): Promise<ConnectSession> {
  const { workspaceId, body } = input;
  const unknown = body.providers?.find((provider) => deps.connectors[provider] === undefined);
  if (unknown !== undefined) throw new AppError("provider_not_found", `there is no provider "${unknown}"`);
  const tenant = await deps.withWorkspace(workspaceId, (tx) => tenantRef(tx, { workspaceId, id: body.tenantId }));
  const connectionIds = body.connectionIds?.map(connectionIdOf) ?? null;
  await deps.withWorkspace(workspaceId, async (tx) => {
    for (const id of connectionIds ?? []) {
      const row = await loadConnection(tx, workspaceId, id);
      if (row.tenantUid !== tenant.uid) throw new AppError("connection_not_found", "no such connection of this tenant");
    }
  });
  return mint(deps, {
    workspaceId,
    tenantUid: tenant.uid,
    endUser: body.endUser,
    providers: body.providers ?? null,
    models: body.models ?? null,
    permissions: body.permissions ?? PERMISSIONS,
    connectionIds,
    allowAccountChange: false,
    allowedOrigins: body.allowedOrigins,
    returnUrl: body.returnUrl ?? null,
    locale: body.locale ?? null,
    lifetimeSeconds: body.expiresInSeconds ?? LIFETIME_SECONDS,
  });
}

/** Mints a session that can do no more than repair one connection. @throws AppError `connection_not_found` */
export async function createReauthorizeSession(
  deps: ConnectDeps,
  input: { readonly workspaceId: WorkspaceId; readonly body: CreateReauthorizeSession },
): Promise<ConnectSession> {
  const { workspaceId, body } = input;
  const connectionId = connectionIdOf(body.connectionId);
  const row = await deps.withWorkspace(workspaceId, (tx) => loadConnection(tx, workspaceId, connectionId));
  if (row.endedAt !== null) {
    throw new AppError("connection_not_active", "this connection was disconnected; connect the account again");
  }
  return mint(deps, {
    workspaceId,
    tenantUid: row.tenantUid,
    endUser: body.endUser,
    providers: [row.provider],
    models: row.models,
    permissions: ["reauthorize"],
    connectionIds: [connectionId],
    allowAccountChange: body.allowAccountChange ?? false,
    allowedOrigins: body.allowedOrigins,
    returnUrl: body.returnUrl ?? null,
    locale: body.locale ?? null,
    lifetimeSeconds: LIFETIME_SECONDS,
  });
}

interface Mint {
  readonly workspaceId: WorkspaceId;
  readonly tenantUid: TenantUid;
  readonly endUser: CreateConnectSession["endUser"];
  readonly providers: readonly string[] | null;
  readonly models: CreateConnectSession["models"] | null;
  readonly permissions: readonly Permission[];
  readonly connectionIds: readonly ConnectionId[] | null;
  readonly allowAccountChange: boolean;
  readonly allowedOrigins: readonly string[];
  readonly returnUrl: string | null;
  readonly locale: string | null;
  readonly lifetimeSeconds: number;
}

async function mint(deps: ConnectDeps, input: Mint): Promise<ConnectSession> {
  const workspace = await getWorkspace(deps, input.workspaceId);
  checkPages(workspace, input);
  const token = makeSessionToken(workspace.id, workspace.mode);
  const now = deps.clock.now();
  const id = newId<ConnectSessionId>();
  const expiresAt = new Date(now.getTime() + input.lifetimeSeconds * 1000);
  await deps.withWorkspace(workspace.id, async (tx) => {
    await holdTenant(tx, { workspaceId: workspace.id, uid: input.tenantUid });
    await tx.insert(connectSessions).values({
      workspaceId: workspace.id,
      id,
      tenantUid: input.tenantUid,
      tokenHash: hashOf(token.reveal()),
      endUserId: input.endUser.id,
      endUserLabel: input.endUser.label ?? null,
      endUserEmail: input.endUser.email ?? null,
      providers: input.providers === null ? null : [...input.providers],
      models: input.models ? [...input.models] : null,
      permissions: [...input.permissions],
      connectionIds: input.connectionIds === null ? null : [...input.connectionIds],
      allowAccountChange: input.allowAccountChange,
      allowedOrigins: [...input.allowedOrigins],
      returnUrl: input.returnUrl,
      locale: input.locale,
      expiresAt,
      createdAt: now,
    });
  });
  return { id: encodeId("cs", id), token: token.reveal(), expiresAt: expiresAt.toISOString() };
}

/** Where the widget may run and where the browser may be sent: nothing that the workspace did not name. */
function checkPages(workspace: WorkspaceRow, input: Mint): void {
  if (workspace.mode === "live" && input.allowedOrigins.some((origin) => !origin.startsWith("https://"))) {
    throw new AppError("invalid_request", "allowedOrigins of a live workspace must begin with https://");
  }
  if (input.returnUrl !== null && !workspace.returnUrls.includes(input.returnUrl)) {
    throw new AppError("invalid_request", "returnUrl is not one of the workspace's registered return URLs");
  }
}
