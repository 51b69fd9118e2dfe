import { decodeId } from "@patchbay/shared";
import type { Sandbox } from "@patchbay/sandbox";
import type postgres from "postgres";
import type { EndpointFact, ErasedTenant, EventFact, History, Receipt, RecordFact } from "./history.ts";
import { recordContent, storeFacts } from "./store-facts.ts";

/** Reads what {@link History} needs. `sql` is the superuser's, whom row-level security does not bind. */
export async function collectHistory(input: {
  readonly sql: postgres.Sql;
  readonly sandbox: Sandbox;
  readonly stores: readonly { readonly tenant: string; readonly shop: string }[];
  readonly accepted: Iterable<string>;
  readonly imported: ReadonlyMap<string, number>;
  readonly receipts: readonly Receipt[];
  readonly erasedTenants: readonly ErasedTenant[];
  readonly staleWrites: readonly string[];
  readonly drainedMs: number | null;
  readonly kills: number;
  readonly inFlightMax: number;
}): Promise<History> {
  const { sql, stores, receipts, erasedTenants, staleWrites, drainedMs, kills, inFlightMax } = input;
  return {
    accepted: [...input.accepted],
    stored: await storedWebhooks(sql),
    waiting: await waitingWork(sql),
    records: await recordFacts(sql, input.imported),
    store: stores.flatMap(({ tenant, shop }) => storeFacts(tenant, input.sandbox.shopify.catalog(shop))),
    events: await eventFacts(sql),
    endpoints: await endpointFacts(sql),
    receipts: receipts.map((receipt) => ({
      ...receipt,
      eventId: decodeId("evt", receipt.eventId) ?? receipt.eventId,
      endpointId: decodeId("we", receipt.endpointId) ?? receipt.endpointId,
    })),
    erasedTenants,
    staleWrites,
    drainedMs,
    kills,
    inFlightMax,
  };
}

/** Versions of a connection's records as they are now, for {@link RecordFact.importedVersion}. */
export async function recordVersions(sql: postgres.Sql, connectionId: string): Promise<ReadonlyMap<string, number>> {
  const rows = await sql<{ id: string; version: number }[]>`
    select id, version from records where connection_id = ${connectionId}`;
  return new Map(rows.map(({ id, version }) => [id, version]));
}

/** How much each queue holds; all zero when everything is at rest. */
export async function waitingWork(sql: postgres.Sql): Promise<Readonly<Record<string, number>>> {
  const [row] = await sql<Record<string, number>[]>`
    select (select count(*)::int from queue.arrivals) as "arrivals",
           (select count(*)::int from queue.feed) as "feed",
           (select count(*)::int from queue.items where kind = 'connection') as "connection items",
           (select count(*)::int from queue.items where kind = 'delivery') as "delivery items",
           (select count(*)::int from queue.unsequenced) as "unsequenced",
           (select count(*)::int from dirty_marks) as "dirty marks",
           (select count(*)::int from runs where status in ('queued', 'running')) as "open runs",
           (select count(*)::int from events where position is null) as "events without position",
           (select count(*)::int from deliveries where status = 'pending') as "pending deliveries"`;
  return row ?? {};
}

async function storedWebhooks(sql: postgres.Sql): Promise<readonly string[]> {
  const rows = await sql<{ id: string }[]>`select headers->>'x-shopify-webhook-id' as id from inbox`;
  return rows.map(({ id }) => id);
}

async function recordFacts(sql: postgres.Sql, imported: ReadonlyMap<string, number>): Promise<readonly RecordFact[]> {
  const rows = await sql<
    Omit<RecordRow, "content">[]
  >`select r.id, t.external_id as tenant, model, remote_id, version, deleted, data
    from records r join tenants t on (t.workspace_id, t.uid) = (r.workspace_id, r.tenant_uid)`;
  return rows.map(({ id, tenant, model, remote_id, version, deleted, data }) => ({
    id,
    tenant,
    model,
    remoteId: remote_id,
    version,
    importedVersion: imported.get(id) ?? 0,
    deleted,
    content: recordContent(model, data),
  }));
}

interface RecordRow {
  id: string;
  tenant: string;
  model: string;
  remote_id: string;
  version: number;
  deleted: boolean;
  data: Record<string, unknown>;
}

async function eventFacts(sql: postgres.Sql): Promise<readonly EventFact[]> {
  const rows = await sql<{ id: string; position: string | null; record_id: string | null; record_version: number }[]>`
    select id, position, record_id, record_version from events`;
  return rows.map((row) => ({
    id: row.id,
    position: row.position === null ? null : Number(row.position),
    recordId: row.record_id,
    recordVersion: row.record_version,
  }));
}

async function endpointFacts(sql: postgres.Sql): Promise<readonly EndpointFact[]> {
  const rows = await sql<{ id: string; since_position: string; ever_failed: boolean; deleted_at: Date | null }[]>`
    select id, since_position, deleted_at,
           exists (select from attempts where endpoint_id = e.id and coalesce(status_code, 0) not between 200 and 299)
             as ever_failed
    from endpoints e`;
  return rows.map((row) => ({
    id: row.id,
    sincePosition: Number(row.since_position),
    everFailed: row.ever_failed,
    deletedAtMs: row.deleted_at?.getTime() ?? null,
  }));
}
