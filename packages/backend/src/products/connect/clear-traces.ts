import type { ConnectionRow } from "../../domain/connections/index.ts";
import type { ConnectDeps } from "./deps.ts";
import { giveBack, isUnused } from "./give-back.ts";

/**
 * What is left at the provider of a connection that ended here: its webhook subscriptions, where they outlive it, and
 * the grant, when nobody else uses it. That the provider cannot be reached fails nothing: sweeps go on trying.
 */
export async function clearTraces(deps: ConnectDeps, row: ConnectionRow): Promise<void> {
  const { workspaceId, id: connectionId, grantId } = row;
  const target = { workspaceId, grantId };
  try {
    // An installation takes its subscriptions along.
    const goesWhole = deps.connectors[row.provider]?.disconnect?.revokes === "installation";
    const stays = !goesWhole || !(await isUnused(deps, target));
    if (stays) await deps.removeSubscriptions({ workspaceId, connectionId });
    await giveBack(deps, target);
  } catch (error) {
    deps.log.error({ error, connectionId }, "traces of an ended connection left");
  }
}
