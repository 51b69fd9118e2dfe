import type { SizedArrivalRef } from "./read-arrivals.ts";

/** Bodies opened at once. One delivery may be larger. */
const BYTES_MAX = 16 * 1024 * 1024;

/** Parts of a batch whose bodies fit into memory together; order is kept. */
export function chunkBySize(refs: readonly SizedArrivalRef[]): readonly (readonly SizedArrivalRef[])[] {
  const chunks: SizedArrivalRef[][] = [];
  let size = 0;
  for (const ref of refs) {
    const chunk = chunks.at(-1);
    size += ref.bytes;
    if (chunk !== undefined && size <= BYTES_MAX) {
      chunk.push(ref);
      continue;
    }
    chunks.push([ref]);
    size = ref.bytes;
  }
  return chunks;
}
