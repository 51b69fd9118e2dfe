import type { WorkspaceId } from "@patchbay/shared";
import { inbox } from "../tables.ts";
import type { IngestDeps } from "../deps.ts";
import { type ArrivalRef, isArrival } from "./read-arrivals.ts";

/** Bodies opened at once. One delivery may be larger. */
const BYTES_MAX = 16 * 1024 * 1024;

/** Parts of a batch whose bodies fit into memory together; order is kept. */
export async function chunkBySize(
  deps: Pick<IngestDeps, "worker">,
  workspaceId: WorkspaceId,
  refs: readonly ArrivalRef[],
): Promise<readonly (readonly ArrivalRef[])[]> {
  if (refs.length <= 1) return refs.length === 0 ? [] : [refs];
  const rows = await deps.worker.withWorkspace(workspaceId, (tx) =>
    tx.select({ id: inbox.id, bytes: inbox.bodyBytes }).from(inbox).where(isArrival(workspaceId, refs)),
  );
  const sizes = new Map(rows.map((row) => [row.id, row.bytes]));
  const chunks: ArrivalRef[][] = [];
  let bytes = 0;
  for (const ref of refs) {
    const size = sizes.get(ref.id) ?? 0;
    const chunk = chunks.at(-1);
    if (chunk === undefined || bytes + size > BYTES_MAX) {
      chunks.push([ref]);
      bytes = size;
      continue;
    }
    chunk.push(ref);
    bytes += size;
  }
  return chunks;
}
