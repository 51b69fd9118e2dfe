import type { ConnectionRow } from "../../domain/connections/index.ts";
import type { ConnectDeps } from "./deps.ts";
import { giveBack, unusedGrant } from "./give-back.ts";

/**
 * What is left at the provider of a connection that ended here: its webhook subscriptions, where they outlive it, and
 * the grant, when nobody else uses it. That the provider cannot be reached fails nothing: sweeps go on trying.
 */
export async function clearTraces(deps: ConnectDeps, row: ConnectionRow): Promise<void> {
  const { workspaceId, id: connectionId, grantId } = row;
  const target = { workspaceId, grantId };
  try {
    const unused = await deps.withWorkspace(workspaceId, (tx) => unusedGrant(tx, deps, target));
    // An installation of ours takes its subscriptions along; one that the account's owner made stays.
    const uninstalls = deps.connectors[row.provider]?.disconnect?.revokes === "installation";
    const goesWhole = unused?.authMethod === "oauth2" && uninstalls;
    if (!goesWhole) await deps.removeSubscriptions({ workspaceId, connectionId });
    await giveBack(deps, target);
  } catch (error) {
    deps.log.error({ error, connectionId }, "traces of an ended connection left");
  }
}
