import type { SourceId, WorkspaceId } from "@patchbay/shared";
import { sql } from "drizzle-orm";
import type { ProviderChange } from "../../../connectors/kit/index.ts";
import { arrayParam, type Tx } from "../../../platform/db/index.ts";
import { dedupeKey } from "./plan-routes.ts";
import type { ReadArrival } from "./read-arrivals.ts";

/** Remembers the keys of these deliveries. @returns whether an element is the first of its key; asked once for each */
export async function takeDedupeKeys(
  tx: Tx,
  workspaceId: WorkspaceId,
  arrivals: readonly ReadArrival[],
  now: Date,
): Promise<(arrival: ReadArrival, change: ProviderChange) => boolean> {
  const wanted = new Map<string, { readonly sourceId: SourceId; readonly key: string }>();
  for (const { source, content } of arrivals) {
    for (const change of "changes" in content ? content.changes : []) {
      const key = dedupeKey(change.dedupeKey).toString("hex");
      wanted.set(`${source.id} ${key}`, { sourceId: source.id, key });
    }
  }
  if (wanted.size === 0) return () => true;
  // In one order, so that two routers never wait for each other.
  const rows = [...wanted].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
  const sourceIds = rows.map((row) => row.sourceId);
  const keys = rows.map((row) => row.key);
  const taken = await tx.execute<{ source_id: SourceId; key: string }>(sql`
    insert into inbox_dedupe (workspace_id, source_id, key, seen_at)
    select ${workspaceId}, source_id, decode(key, 'hex'), ${now.toISOString()}::timestamptz
    from unnest(${arrayParam(sourceIds, "uuid")}, ${arrayParam(keys, "text")}) as t (source_id, key)
    on conflict do nothing returning source_id, encode(key, 'hex') as key`);
  const fresh = new Set([...taken].map((row) => `${row.source_id} ${row.key}`));
  return ({ source }, change) => fresh.delete(`${source.id} ${dedupeKey(change.dedupeKey).toString("hex")}`);
}
