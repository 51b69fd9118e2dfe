import type { RecordId } from "@patchbay/shared";
import { createHash, randomUUIDv7 } from "node:crypto";

/** A new time-ordered id. The caller names the brand: `newId<RunId>()`. */
export function newId<Brand extends string>(): Brand {
  // The brand holds because ids are made here alone.
  return randomUUIDv7() as Brand;
}

/** New ids, each greater than the one before: those of one millisecond alone would come in any order. */
export function newIds<Brand extends string>(count: number): readonly Brand[] {
  return Array.from({ length: count }, () => newId<Brand>()).toSorted();
}

/** The milliseconds inside a UUIDv7. */
export function instantOfId(id: string): Date {
  return new Date(Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16));
}

/**
 * The id of the record for one object of one account: the same over re-connects and full re-syncs, and known before
 * the object itself was seen.
 *
 * SHA-256 over length-prefixed fields, cut to 128 bits, in the form of a UUIDv8 (RFC 9562 section 5.8).
 */
export function recordId(object: {
  readonly tenantUid: string;
  readonly provider: string;
  readonly accountId: string;
  readonly mode: string;
  readonly model: string;
  readonly remoteId: string;
}): RecordId {
  const hash = createHash("sha256");
  for (const field of [
    object.tenantUid,
    object.provider,
    object.accountId,
    object.mode,
    object.model,
    object.remoteId,
  ]) {
    hash.update(`${Buffer.byteLength(field)}:${field}`);
  }
  const bytes = hash.digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}` as RecordId;
}
