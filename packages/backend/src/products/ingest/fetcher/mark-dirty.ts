import type { ConnectionId, WorkspaceId } from "@patchbay/shared";
import { sql } from "drizzle-orm";
import type { Tx } from "../../../platform/db/index.ts";

/** An object of a connection that must be read again. */
export interface DirtyHint {
  readonly connectionId: ConnectionId;
  readonly resource: string;
  readonly remoteId: string;
  readonly deleted: boolean;
  /** Of a replay: it waits until no live hint does. */
  readonly patient?: boolean;
}

/** Hints in one statement. */
const HINTS_MAX = 1_000;

/**
 * Marks objects. A mark that is there already gets a higher generation, so that a read that began before this hint
 * does not clear it.
 */
export async function markDirty(
  tx: Tx,
  workspaceId: WorkspaceId,
  hints: readonly DirtyHint[],
  now: Date,
): Promise<void> {
  const unique = [...mergeCopies(hints).values()];
  for (let from = 0; from < unique.length; from += HINTS_MAX) {
    await upsert(tx, workspaceId, unique.slice(from, from + HINTS_MAX), now);
  }
}

/** One statement may touch a mark once. */
function mergeCopies(hints: readonly DirtyHint[]): ReadonlyMap<string, DirtyHint> {
  const merged = new Map<string, DirtyHint>();
  for (const hint of hints) {
    const key = JSON.stringify([hint.connectionId, hint.resource, hint.remoteId]);
    const other = merged.get(key);
    const deleted = hint.deleted || other?.deleted === true;
    const patient = hint.patient === true && other?.patient !== false;
    merged.set(key, { ...hint, deleted, patient });
  }
  return merged;
}

async function upsert(tx: Tx, workspaceId: WorkspaceId, hints: readonly DirtyHint[], now: Date): Promise<void> {
  const at = sql`${now.toISOString()}::timestamptz`;
  await tx.execute(sql`
    insert into dirty_marks as m (workspace_id, connection_id, resource, remote_id, generation, deletion_hinted, patient, hinted_at, next_at)
    select ${workspaceId}, connection_id, resource, remote_id, 1, deleted::boolean, patient::boolean, ${at}, ${at}
    from unnest(
      ${sql.param(hints.map((hint) => hint.connectionId))}::uuid[],
      ${sql.param(hints.map((hint) => hint.resource))}::text[],
      ${sql.param(hints.map((hint) => hint.remoteId))}::text[],
      ${sql.param(hints.map((hint) => String(hint.deleted)))}::text[],
      ${sql.param(hints.map((hint) => String(hint.patient === true)))}::text[]
    ) as t (connection_id, resource, remote_id, deleted, patient)
    order by connection_id, resource, remote_id
    on conflict (workspace_id, connection_id, resource, remote_id) do update set
      generation = m.generation + 1,
      deletion_hinted = m.deletion_hinted or excluded.deletion_hinted,
      patient = m.patient and excluded.patient,
      next_at = least(m.next_at, excluded.next_at)`);
}
