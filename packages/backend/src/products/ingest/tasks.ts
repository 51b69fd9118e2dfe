import type { ConnectionId, TenantUid, WorkspaceId } from "@patchbay/shared";
import { createHash } from "node:crypto";
import { sql } from "drizzle-orm";
import type { Tx } from "../../platform/db/index.ts";
import type { NewItem } from "../../platform/lanes/index.ts";
import { newId } from "../../platform/runtime/index.ts";

/**
 * What a connection's lane does. The item of a `run` has the run's id; `fetch` exists once per connection.
 * `confirmUninstall` is a `checkAccount` that the provider itself asked for. `routeParked` takes up what waited in the
 * inbox for the connection to appear.
 */
export const TASKS = ["run", "fetch", "activate", "routeParked", "checkAccount", "confirmUninstall"] as const;
export type Task = (typeof TASKS)[number];

export interface LaneOwner {
  readonly workspaceId: WorkspaceId;
  readonly tenantUid: TenantUid;
  readonly connectionId: ConnectionId;
}

/** Stands for a state, "there are marks": asked for any number of times, it is one item. See {@link lockLanes}. */
export function fetchItem(owner: LaneOwner, runAt: Date): NewItem {
  return laneItem(owner, "fetch", fetchItemId(owner.connectionId), runAt);
}

/** One item per hint: a hint that comes while the one before is being worked is not lost with it. */
export function hintItem(
  owner: LaneOwner,
  task: "activate" | "routeParked" | "checkAccount" | "confirmUninstall",
  runAt: Date,
): NewItem {
  return laneItem(owner, task, newId<string>(), runAt);
}

export function runItem(owner: LaneOwner, runId: string, runAt: Date): NewItem {
  return laneItem(owner, "run", runId, runAt);
}

/**
 * Locks lanes in the order in which all lock them, before any mark is made, as `enqueue` does as well: the worker
 * role's.
 *
 * Whoever ends a fetch item holds its lane's row, sees that no mark is left, and deletes the item. Whoever makes a mark
 * holds it too, so that neither misses the other. A lane that is not there yet has no item to end.
 */
export async function lockLanes(tx: Tx, owners: readonly LaneOwner[]): Promise<void> {
  if (owners.length === 0) return;
  const ids = [...new Set(owners.map((owner) => owner.connectionId))];
  const workspaceIds = [...new Set(owners.map((owner) => owner.workspaceId))];
  await tx.execute(sql`
    select 1 from queue.lanes
    where workspace_id = any(${sql.param(workspaceIds)}::uuid[]) and kind = 'connection' and lane_id = any(${sql.param(ids)}::uuid[])
    order by workspace_id, kind, lane_id, tenant_uid for update`);
}

function laneItem(owner: LaneOwner, task: Task, id: string, runAt: Date): NewItem {
  const { workspaceId, tenantUid, connectionId } = owner;
  return { kind: "connection", workspaceId, tenantUid, laneId: connectionId, id, task, runAt };
}

/** The same for the same connection, in the form of a UUIDv8. */
function fetchItemId(connectionId: string): string {
  const bytes = createHash("sha256").update(`fetch:${connectionId}`).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
