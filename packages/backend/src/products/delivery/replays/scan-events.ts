import type { ConnectionId, DeliveryId, EventId, EventType, ModelName, RecordId, TenantUid } from "@patchbay/shared";
import { sql, type SQL } from "drizzle-orm";
import { arrayParam, type Tx } from "../../../platform/db/index.ts";
import type { EndpointRow } from "../find-endpoints.ts";
import { firstIdAt } from "../first-id-at.ts";
import { providersOf } from "../providers-of.ts";
import { wantsEvent } from "../wants-event.ts";

/** Events looked at by one statement, so that a filter that few pass never takes long. */
const WINDOW = 5_000;

/** Which events of an endpoint a replay is of. */
export interface ReplaySelection {
  readonly eventIds: readonly EventId[] | null;
  readonly type: EventType | null;
  readonly ofTenantUid: TenantUid | null;
  readonly since: Date | null;
  readonly until: Date | null;
  readonly only: "failed" | "missing" | null;
  readonly untilPosition: number;
}

/** An event that is to be sent again, or for the first time. */
export interface FoundEvent {
  readonly id: EventId;
  readonly type: EventType;
  readonly tenantUid: TenantUid;
  readonly recordId: RecordId | null;
  readonly position: number;
  /** `null`: never sent to this endpoint. */
  readonly deliveryId: DeliveryId | null;
}

export interface Scan {
  readonly found: readonly FoundEvent[];
  /** Everything up to here was looked at. */
  readonly position: number;
  readonly end: boolean;
}

/**
 * The next events by position that fit, at most `limit`; maybe none though there are more behind. Who has a delivery on
 * its way already is left alone.
 */
export async function scanEvents(
  tx: Tx,
  endpoint: EndpointRow,
  wanted: ReplaySelection & { readonly after: number },
  limit: number,
): Promise<Scan> {
  const { workspaceId } = endpoint;
  const rows = await tx.execute<EventRow>(sql`
    select e.id, e.type, e.model, e.tenant_uid, e.connection_id, e.record_id, e.position, d.id as delivery_id, ${fits(endpoint, wanted)} as fits
    from events e left join deliveries d on d.workspace_id = e.workspace_id and d.endpoint_id = ${endpoint.id} and d.event_id = e.id
    where e.workspace_id = ${workspaceId} and e.position > ${wanted.after} and e.position <= ${wanted.untilPosition}
      and ${named(wanted)}
    order by e.position limit ${WINDOW}`);
  const seen = [...rows].map(toFound);
  const provider = await providersOf(tx, workspaceId, [endpoint], seen);
  const fitting = seen.filter(
    (event) => event.fits && wantsEvent(endpoint, { ...event, provider: provider(event.connectionId) }),
  );
  const found = fitting.slice(0, limit);
  const full = fitting.length > limit;
  const last = full ? found.at(-1) : seen.at(-1);
  const end = !full && seen.length < WINDOW;
  return { found, position: end ? wanted.untilPosition : (last?.position ?? wanted.untilPosition), end };
}

interface EventRow extends Record<string, unknown> {
  id: EventId;
  type: EventType;
  model: ModelName | null;
  tenant_uid: TenantUid;
  connection_id: ConnectionId | null;
  record_id: RecordId | null;
  position: string;
  delivery_id: DeliveryId | null;
  fits: boolean;
}

function toFound(row: EventRow) {
  return {
    id: row.id,
    type: row.type,
    model: row.model,
    tenantUid: row.tenant_uid,
    connectionId: row.connection_id,
    recordId: row.record_id,
    position: Number(row.position),
    deliveryId: row.delivery_id,
    fits: row.fits,
  };
}

/** Narrows by index where ids are given. */
function named({ eventIds }: ReplaySelection): SQL {
  return eventIds === null ? sql`true` : sql`e.id = any(${arrayParam([...eventIds], "uuid")})`;
}

function fits(endpoint: EndpointRow, { type, ofTenantUid, since, until, only }: ReplaySelection): SQL {
  const conditions = [
    statusOf(endpoint, only),
    ...(type === null ? [] : [sql`e.type = ${type}`]),
    ...(ofTenantUid === null ? [] : [sql`e.tenant_uid = ${ofTenantUid}`]),
    ...(since === null ? [] : [sql`e.id >= ${firstIdAt(since)}::uuid`]),
    ...(until === null ? [] : [sql`e.id < ${firstIdAt(until)}::uuid`]),
  ];
  return sql`(${sql.join(conditions, sql` and `)})`;
}

function statusOf({ forgottenPosition }: EndpointRow, only: ReplaySelection["only"]): SQL {
  switch (only) {
    case "failed":
      return sql`coalesce(d.status = 'failed', false)`;
    case "missing":
      // Up to there deliveries that arrived may be forgotten: nobody can say what is missing.
      return sql`(d.id is null and e.position > ${forgottenPosition})`;
    case null:
      return sql`coalesce(d.status in ('delivered', 'failed', 'skipped'), true)`;
  }
}
