import { AppError } from "@patchbay/shared";

/** Room for bodies that are on their way in, from their first byte until they are stored or refused. */
export interface Admission {
  /** @returns how to give the room back; once. @throws AppError `overloaded` */
  enter(sourceId: string, bytes: number): () => void;
}

/** In one process. */
const BYTES_MAX = 256 * 1024 * 1024;
const RETRY_AFTER_SECONDS = 5;

/**
 * A source may hold as much as is free: one that floods ends at half of the room, two at a third each, and there is
 * always some left for those that are quiet.
 */
export function createAdmission(bytesMax: number = BYTES_MAX): Admission {
  const held = new Map<string, number>();
  let total = 0;

  function add(sourceId: string, bytes: number): void {
    total += bytes;
    const now = (held.get(sourceId) ?? 0) + bytes;
    if (now === 0) held.delete(sourceId);
    else held.set(sourceId, now);
  }

  return {
    enter(sourceId, bytes) {
      if ((held.get(sourceId) ?? 0) + bytes > bytesMax - total) {
        throw new AppError("overloaded", "deliveries arrive faster than they can be stored; send again later", {
          retryAfterSeconds: RETRY_AFTER_SECONDS,
        });
      }
      add(sourceId, bytes);
      return () => add(sourceId, -bytes);
    },
  };
}
