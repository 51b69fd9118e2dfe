import type { ConnectionId, EventType, WorkspaceId } from "@patchbay/shared";
import { and, eq } from "drizzle-orm";
import type { Tx } from "../../platform/db/index.ts";
import type { Clock } from "../../platform/runtime/index.ts";
import type { Sealer } from "../vault/index.ts";
import { announce } from "./announce.ts";
import { causesAfter, healthOf, type HealthChange } from "./health.ts";
import { lockConnection, type ConnectionRow } from "./load-connection.ts";
import { connections } from "./tables.ts";

/**
 * Notes what is wrong with a working connection, or that it is right again, in the caller's transaction. The host is
 * told when the first cause comes and when the last one goes: `connection.degraded`, `connection.recovered`.
 *
 * Only an active connection has a health that changes: what is found out about others is found out again later.
 *
 * @param deps.sealer of the tenant's `payload` key
 * @returns what the host is told; poke `events` after the commit
 * @throws AppError `connection_not_found`
 */
export async function changeHealth(
  tx: Tx,
  deps: { readonly clock: Clock; readonly sealer: Sealer },
  input: HealthChange & {
    readonly workspaceId: WorkspaceId;
    readonly connectionId: ConnectionId;
    /** Further facts that change with it. */
    readonly facts?: Partial<ConnectionRow>;
  },
): Promise<EventType | null> {
  const { workspaceId, connectionId, facts } = input;
  const row = await lockConnection(tx, workspaceId, connectionId);
  const isActive = row.status === "active";
  if (!isActive && facts === undefined) return null;
  const causes = isActive ? causesAfter(row.healthCauses, input) : row.healthCauses;
  const health = healthOf(causes);
  const [after] = await tx
    .update(connections)
    .set({
      ...facts,
      ...(isActive ? { health, healthCauses: [...causes], statusReason: causes[0] ?? null } : {}),
      updatedAt: deps.clock.now(),
    })
    .where(and(eq(connections.workspaceId, workspaceId), eq(connections.id, connectionId)))
    .returning();
  if (after === undefined) throw new Error("the connection was not written");
  if (health === row.health) return null;
  const told = health === "degraded" ? "connection.degraded" : "connection.recovered";
  await announce(tx, deps, after, told);
  return told;
}
