import { sql, type SQL } from "drizzle-orm";
import { arrayParam } from "../db/index.ts";
import type { Lease } from "./claim.ts";
import type { LaneKey } from "./enqueue.ts";

/** Lanes that wait, looked at to find those of the tenants that had least so far. */
export const CANDIDATES_MAX = 500;

/** Condition: the row of this lane, or its items. */
export function isLane(key: LaneKey): SQL {
  return sql`workspace_id = ${key.workspaceId} and kind = ${key.kind} and lane_id = ${key.laneId} and tenant_uid = ${key.tenantUid}`;
}

/** The leases as a table, to join with. */
export function tableOf(leases: readonly Lease[]): SQL {
  const column = (values: readonly string[], type: string) => arrayParam(values, type);
  const keys = leases.map(({ key }) => key);
  return sql`unnest(
    ${column(
      keys.map(({ workspaceId }) => workspaceId),
      "uuid",
    )},
    ${column(
      keys.map(({ kind }) => kind),
      "text",
    )},
    ${column(
      keys.map(({ laneId }) => laneId),
      "uuid",
    )},
    ${column(
      keys.map(({ tenantUid }) => tenantUid),
      "uuid",
    )},
    ${column(
      leases.map(({ token }) => token),
      "uuid",
    )}
  )`;
}
