import type { ConnectionId, InboxEntry, InboxId, SourceId } from "@patchbay/shared";
import { and, sql, type SQL } from "drizzle-orm";
import { arrayParam } from "../../../platform/db/index.ts";
import { instantOfId } from "../../../platform/runtime/index.ts";

/** Which deliveries; everything given must hold. */
export interface InboxSelection {
  readonly ids?: readonly InboxId[] | undefined;
  readonly provider?: string | undefined;
  readonly sourceId?: SourceId | undefined;
  readonly connectionId?: ConnectionId | undefined;
  readonly status?: InboxEntry["status"] | undefined;
  /** Received at or after. */
  readonly since?: Date | undefined;
  /** Received before. */
  readonly until?: Date | undefined;
}

/** What the selection says of a row `i` of `inbox`, in terms that its key can use. */
export function deliveryFits({ ids, provider, sourceId, since, until }: InboxSelection): SQL {
  return all(
    ids && sql`i.id = any(${arrayParam([...ids], "uuid")})`,
    // The times name the partitions.
    ids &&
      sql`i.received_at = any(${arrayParam(
        ids.map((id) => instantOfId(id).toISOString()),
        "timestamptz",
      )})`,
    provider === undefined ? undefined : sql`i.provider = ${provider}`,
    sourceId && sql`i.source_id = ${sourceId}`,
    since && sql`i.received_at >= ${since.toISOString()}::timestamptz`,
    until && sql`i.received_at < ${until.toISOString()}::timestamptz`,
  );
}

/** What the selection says of a row `o`, or as it is called, of `inbox_outcomes`. */
export function elementFits({ connectionId, status }: InboxSelection, o: SQL = sql`o`): SQL {
  return all(
    connectionId && sql`${o}.connection_id = ${connectionId}`,
    status && status !== "received" ? sql`${o}.status = ${status}` : undefined,
  );
}

function all(...conditions: readonly (SQL | undefined | "")[]): SQL {
  const given = conditions.filter((each) => each !== undefined && each !== "");
  return and(...given) ?? sql`true`;
}
