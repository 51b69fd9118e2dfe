import { PAGE_SIZE_MAX, encodeId, type ConnectBootstrap, type ConnectProvider } from "@patchbay/shared";
import { listConnections, toApi } from "../../domain/connections/index.ts";
import { listConfiguredProviders } from "../../domain/workspaces/index.ts";
import type { ConnectDeps } from "./deps.ts";
import { offeredModels, offersProvider, type SessionContext } from "./session-context.ts";
import { withinTenant } from "./tenant-scope.ts";

/** All that a first paint needs. */
export async function bootstrap(deps: ConnectDeps, session: SessionContext): Promise<ConnectBootstrap> {
  const { workspaceId, tenantUid } = session;
  const configured = await listConfiguredProviders(withinTenant(deps, session), workspaceId);
  const connections = await deps.withTenant(workspaceId, tenantUid, async (tx) => {
    const { rows } = await listConnections(tx, {
      workspaceId,
      tenantUid,
      withoutEnded: true,
      ...(session.connectionIds === null ? {} : { ids: session.connectionIds }),
      limit: PAGE_SIZE_MAX,
    });
    const runs = await deps.latestRuns(
      tx,
      workspaceId,
      rows.map((row) => row.connection.id),
    );
    return rows.map(({ connection, tenantExternalId }) =>
      toApi(connection, tenantExternalId, runs.get(connection.id) ?? null),
    );
  });
  return {
    sessionId: encodeId("cs", session.sessionId),
    hostName: session.hostName,
    mode: session.mode,
    endUser: session.endUser,
    permissions: session.permissions,
    locale: session.locale,
    expiresAt: session.expiresAt.toISOString(),
    providers: configured.flatMap((provider) => offerOf(deps, session, provider)),
    connections,
  };
}

function offerOf(deps: ConnectDeps, session: SessionContext, provider: string): readonly ConnectProvider[] {
  const connector = deps.connectors[provider];
  if (connector === undefined || !offersProvider(session, provider)) return [];
  const models = offeredModels(session, connector);
  if (models.length === 0) return [];
  return [
    {
      id: connector.id,
      name: connector.name,
      models,
      parameters: connector.parameters.map(({ name, label, hint, suffix, example }) => ({
        name,
        label,
        hint,
        suffix,
        example,
      })),
    },
  ];
}
