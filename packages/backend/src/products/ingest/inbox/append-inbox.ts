import type { DataKeyId, InboxId, SourceId, WorkspaceId } from "@patchbay/shared";
import { sql, type SQL } from "drizzle-orm";
import type { RoleDatabase } from "../../../platform/db/index.ts";

/** One delivery, sealed and ready to be stored. */
export interface InboxRow {
  readonly workspaceId: WorkspaceId;
  readonly id: InboxId;
  readonly receivedAt: Date;
  readonly sourceId: SourceId;
  readonly provider: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Sealed. */
  readonly body: Uint8Array;
  readonly bodyKeyId: DataKeyId;
  readonly bodyBytes: number;
  readonly bodySha256: Uint8Array;
  readonly secretIndex: number;
}

/**
 * Stores deliveries of any workspaces, and an arrival each that wakes the router, in one statement: what a batch costs
 * beside its rows is round trips.
 */
export async function appendInbox(asIngest: RoleDatabase, rows: readonly InboxRow[]): Promise<void> {
  const column = (type: string, pick: (row: InboxRow) => string | number): SQL =>
    sql`${sql.param(rows.map(pick))}::${sql.raw(type)}[]`;
  await asIngest.runAtOnce(sql`
      with arrived as materialized (
        select * from unnest(
          ${column("uuid", (row) => row.workspaceId)},
          ${column("text", (row) => row.receivedAt.toISOString())},
          ${column("uuid", (row) => row.id)},
          ${column("uuid", (row) => row.sourceId)},
          ${column("text", (row) => row.provider)},
          ${column("text", (row) => JSON.stringify(row.headers))},
          ${column("text", (row) => base64(row.body))},
          ${column("uuid", (row) => row.bodyKeyId)},
          ${column("int", (row) => row.bodyBytes)},
          ${column("text", (row) => base64(row.bodySha256))},
          ${column("smallint", (row) => row.secretIndex)}
        ) as t (workspace_id, received_at, id, source_id, provider, headers, body, body_key_id, body_bytes, body_sha256, secret_index)
      ), waiting as (
        insert into queue.arrivals (id, workspace_id, received_at, run_at, body_bytes)
        select id, workspace_id, received_at::timestamptz, received_at::timestamptz, body_bytes from arrived
      )
      insert into inbox (workspace_id, received_at, id, source_id, provider, headers, body, body_key_id, body_bytes, body_sha256, secret_index)
      select workspace_id, received_at::timestamptz, id, source_id, provider, headers::jsonb, decode(body, 'base64'), body_key_id, body_bytes,
        decode(body_sha256, 'base64'), secret_index
      from arrived`);
}

/** Arrays of bytes and of times do not travel as parameters of the driver; text does. */
function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}
