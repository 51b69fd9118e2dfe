/** When a read began and ended, on our clock. */
export interface ReadInterval {
  readonly startedAt: Date;
  readonly endedAt: Date;
}

/** What we know of one copy of an object. */
export interface Copy {
  readonly read: ReadInterval;
  /** The provider's strictly rising version, where it has one. */
  readonly sourceVersion: bigint | null;
  readonly projectionVersion: number;
  readonly hash: Uint8Array;
  readonly deleted: boolean;
}

/**
 * `apply`: the new copy is newer and differs. `touch`: it says what we have. `stale`: it is older.
 * `reread`: which is newer cannot be told, so the object must be read once more.
 */
export type Decision = "apply" | "touch" | "stale" | "reread";

/**
 * Which of two copies of one object is the newer.
 *
 * By the provider's own version where it has one. Else by the read intervals: a copy is newer only if its read
 * started after the other's had ended; overlapping reads that differ prove nothing. A newer projection of the same
 * content is never older.
 */
export function decide(stored: Copy, incoming: Copy): Decision {
  const same = stored.deleted === incoming.deleted && Buffer.compare(stored.hash, incoming.hash) === 0;
  const order = compareSources(stored, incoming);
  if (order === "older") return "stale";
  if (same) return "touch";
  if (order === "newer") return "apply";
  if (order === "equal") {
    if (incoming.projectionVersion > stored.projectionVersion) return "apply";
    if (incoming.projectionVersion < stored.projectionVersion) return "stale";
  }
  return "reread";
}

function compareSources(stored: Copy, incoming: Copy): "newer" | "older" | "equal" | "unknown" {
  // A deletion carries no version of its own: only the times of the reads can order it.
  if (stored.sourceVersion !== null && incoming.sourceVersion !== null && !stored.deleted && !incoming.deleted) {
    if (incoming.sourceVersion === stored.sourceVersion) return "equal";
    return incoming.sourceVersion > stored.sourceVersion ? "newer" : "older";
  }
  if (incoming.read.startedAt > stored.read.endedAt) return "newer";
  if (incoming.read.endedAt < stored.read.startedAt) return "older";
  return "unknown";
}
