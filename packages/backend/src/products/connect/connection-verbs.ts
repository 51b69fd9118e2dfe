import {
  AppError,
  type Connection,
  type ConnectionStatus,
  type Page,
  type Permission,
  type WorkspaceId,
} from "@patchbay/shared";
import {
  changeStatus,
  listConnections,
  loadConnection,
  toApi,
  type ConnectionEvent,
  type ConnectionRow,
} from "../../domain/connections/index.ts";
import { tenantExternalId, tenantRef } from "../../domain/workspaces/index.ts";
import type { Tx } from "../../platform/db/index.ts";
import { clearTraces } from "./clear-traces.ts";
import type { ConnectDeps } from "./deps.ts";
import { HANDED_OVER } from "./handed-over.ts";
import { connectionIdOf, mayManage, requirePermission } from "./session-context.ts";
import { asCaller, type Who } from "./tenant-scope.ts";

/** @param id `conn_…` @throws AppError `connection_not_found` */
export async function getConnection(deps: ConnectDeps, who: Who, id: string): Promise<Connection> {
  const row = await findConnection(deps, who, id);
  return asCaller(deps, who, (tx) => view(deps, tx, row));
}

/** @throws AppError `tenant_not_found`, `invalid_cursor` */
export async function listConnectionsOf(
  deps: ConnectDeps,
  input: {
    readonly workspaceId: WorkspaceId;
    readonly limit: number;
    readonly cursor?: string | undefined;
    readonly tenantId?: string | undefined;
    readonly provider?: string | undefined;
    readonly status?: ConnectionStatus | undefined;
  },
): Promise<Page<Connection>> {
  const { tenantId, ...filters } = input;
  return deps.withWorkspace(input.workspaceId, async (tx) => {
    const tenant =
      tenantId === undefined ? undefined : await tenantRef(tx, { workspaceId: input.workspaceId, id: tenantId });
    const page = await listConnections(tx, { ...filters, tenantUid: tenant?.uid });
    const ids = page.rows.map((row) => row.connection.id);
    const runs = await deps.latestRuns(tx, input.workspaceId, ids);
    const data = page.rows.map(({ connection, tenantExternalId: externalId }) =>
      toApi(connection, externalId, runs.get(connection.id) ?? null),
    );
    return { data, hasMore: page.hasMore, nextCursor: page.nextCursor };
  });
}

/** Stops syncs until {@link resume}. @throws AppError `connection_not_active` */
export async function pause(deps: ConnectDeps, who: Who, id: string): Promise<Connection> {
  return change(deps, who, id, "pause", "pause");
}

/**
 * What was missed is read at once. Credentials that were handed over are taken back: refreshed here again, so that a
 * copy of rotating ones elsewhere ends.
 *
 * @throws AppError `connection_not_active`; `session_forbidden` for a session after a hand-over
 */
export async function resume(deps: ConnectDeps, who: Who, id: string): Promise<Connection> {
  return change(deps, who, id, "pause", "resume");
}

/**
 * Ends a connection here, and at the provider when nobody else uses the grant. That the provider cannot be reached
 * does not keep it from ending: a sweep goes on trying.
 */
export async function disconnect(deps: ConnectDeps, who: Who, id: string): Promise<Connection> {
  const connection = await change(deps, who, id, "disconnect", "disconnect");
  const row = await findConnection(deps, who, id);
  await clearTraces(deps, row);
  return connection;
}

/**
 * The connection, if the caller may see it and, for a session, do `permission` with it.
 *
 * @throws AppError `connection_not_found`, `session_forbidden`
 */
export async function findConnection(
  deps: ConnectDeps,
  who: Who,
  id: string,
  permission?: Permission,
): Promise<ConnectionRow> {
  const connectionId = connectionIdOf(id);
  const row = await asCaller(deps, who, async (tx) => {
    const found = await loadConnection(tx, who.workspaceId, connectionId);
    const externalId = await tenantExternalId(tx, { workspaceId: who.workspaceId, uid: found.tenantUid });
    return externalId === null ? null : found;
  });
  // Of an erased tenant: nobody's any more.
  if (row === null) throw new AppError("connection_not_found", "no such connection");
  if (who.session === undefined) return row;
  if (!mayManage(who.session, row)) throw new AppError("connection_not_found", "no such connection");
  if (permission !== undefined) requirePermission(who.session, permission);
  return row;
}

async function change(
  deps: ConnectDeps,
  who: Who,
  id: string,
  permission: Permission,
  event: ConnectionEvent,
): Promise<Connection> {
  const {
    id: connectionId,
    workspaceId,
    tenantUid,
    statusReason,
    grantId,
  } = await findConnection(deps, who, id, permission);
  const takesBack = event === "resume" && statusReason === HANDED_OVER;
  if (takesBack && who.session !== undefined) {
    throw new AppError("session_forbidden", "the credentials were handed over; only the host can take them back");
  }
  const sealer = await deps.vault.sealer({ workspaceId, tenantUid, purpose: "payload" });
  const { connection, announced } = await asCaller(deps, who, async (tx) => {
    if (takesBack) await deps.credentials.takeBack(tx, { workspaceId, grantId });
    const reason = who.session === undefined ? "by_host" : "by_end_user";
    const changed = await changeStatus(
      tx,
      { ...deps, sealer },
      { workspaceId, connectionId, event, reason: event === "resume" ? null : reason },
    );
    if (changed.changed && takesBack) await deps.onActivated(tx, changed.connection);
    if (changed.changed && event === "disconnect") await deps.onEnded(tx, changed.connection);
    return { connection: await view(deps, tx, changed.connection), announced: changed.announced };
  });
  if (announced !== null) deps.wake.poke("events");
  if (takesBack) deps.wake.poke("lanes:connection");
  return connection;
}

async function view(deps: ConnectDeps, tx: Tx, row: ConnectionRow): Promise<Connection> {
  const externalId = await tenantExternalId(tx, { workspaceId: row.workspaceId, uid: row.tenantUid });
  if (externalId === null) throw new AppError("connection_not_found", "no such connection");
  const runs = await deps.latestRuns(tx, row.workspaceId, [row.id]);
  return toApi(row, externalId, runs.get(row.id) ?? null);
}
