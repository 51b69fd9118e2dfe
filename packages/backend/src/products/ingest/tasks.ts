import type { ConnectionId, TenantUid, WorkspaceId } from "@patchbay/shared";
import { createHash } from "node:crypto";
import { sql } from "drizzle-orm";
import { enqueue, type NewItem, submit } from "../../platform/lanes/index.ts";
import type { Tx } from "../../platform/db/index.ts";

/** What a connection's lane does. The item of a `run` has the run's id; the others exist once per connection. */
export const TASKS = ["run", "fetch", "activate", "checkAccount"] as const;
export type Task = (typeof TASKS)[number];

export interface LaneOwner {
  readonly workspaceId: WorkspaceId;
  readonly tenantUid: TenantUid;
  readonly connectionId: ConnectionId;
}

/** An item that stands for a state ("there are marks", "look at the account"): asked for twice, it is one. */
export function stateItem(owner: LaneOwner, task: Exclude<Task, "run">, runAt: Date): NewItem {
  return laneItem(owner, task, stateItemId(task, owner.connectionId), runAt);
}

export function runItem(owner: LaneOwner, runId: string, runAt: Date): NewItem {
  return laneItem(owner, "run", runId, runAt);
}

/**
 * Puts a state item into its lane, from any role but for the workers' own, who lock the lane first and
 * {@link enqueueLocked}.
 */
export const submitItems: (tx: Tx, items: readonly NewItem[]) => Promise<void> = submit;

/**
 * Locks lanes in the order in which all lock them, before anything else of the transaction.
 *
 * Whoever ends a state item holds its lane's row, looks whether the state is over, and deletes the item. Whoever makes
 * the state holds it too, so that neither misses the other. A lane that is not there yet has no item to end.
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

/** In a worker's transaction that called {@link lockLanes}, or holds the lane's fence. */
export const enqueueLocked: (tx: Tx, items: readonly NewItem[]) => Promise<void> = enqueue;

function laneItem(owner: LaneOwner, task: Task, id: string, runAt: Date): NewItem {
  const { workspaceId, tenantUid, connectionId } = owner;
  return { kind: "connection", workspaceId, tenantUid, laneId: connectionId, id, task, runAt };
}

/** The same for the same connection and task, in the form of a UUIDv8. */
function stateItemId(task: string, connectionId: string): string {
  const bytes = createHash("sha256").update(`${task}:${connectionId}`).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
