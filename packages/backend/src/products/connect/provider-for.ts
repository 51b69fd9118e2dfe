import { AppError } from "@patchbay/shared";
import type { Connector } from "../../connectors/kit/index.ts";
import { getProviderApp, type ProviderAppFacts } from "../../domain/workspaces/index.ts";
import type { ConnectDeps } from "./deps.ts";
import { offersProvider, type SessionContext } from "./session-context.ts";
import { withinTenant } from "./tenant-scope.ts";

/**
 * The connector and the workspace's app behind a provider that the session offers.
 *
 * @throws AppError `provider_not_found`, `session_forbidden`, `provider_app_missing`
 */
export async function providerFor(
  deps: ConnectDeps,
  session: SessionContext,
  provider: string,
): Promise<{ readonly connector: Connector; readonly app: ProviderAppFacts }> {
  const connector = deps.connectors[provider];
  if (connector === undefined) throw new AppError("provider_not_found", "there is no such provider");
  if (!offersProvider(session, provider)) {
    throw new AppError("session_forbidden", `this session does not offer ${connector.name}`);
  }
  const app = await getProviderApp(withinTenant(deps, session), { workspaceId: session.workspaceId, provider });
  if (app === null) {
    throw new AppError("provider_app_missing", `register the workspace's ${connector.name} app first`);
  }
  return { connector, app };
}
