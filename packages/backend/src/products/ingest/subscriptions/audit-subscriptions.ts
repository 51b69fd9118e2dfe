import type { ConnectionRef, IngestDeps } from "../deps.ts";
import { loadLaneConnection } from "../lane-connection.ts";
import { registerSubscriptions, type Registered } from "./register-subscriptions.ts";

/** Creates again what a provider dropped, as some do after failed deliveries. `null`: nothing to audit. */
export async function auditSubscriptions(
  deps: Pick<IngestDeps, "worker" | "clock" | "log" | "publicUrl" | "client" | "connectorById">,
  { workspaceId, connectionId }: ConnectionRef,
): Promise<Registered | null> {
  const connection = await loadLaneConnection(deps, { workspaceId, laneId: connectionId });
  if (connection === null || connection.row.status !== "active") return null;
  const audited = await registerSubscriptions(
    deps,
    (request) => deps.client.call(connection.target, request, { priority: "backfill" }),
    connection,
  );
  if (audited.ok && audited.created > 0) {
    deps.log.warn({ ...connection.lane, created: audited.created }, "webhook subscriptions were missing");
  }
  return audited;
}
