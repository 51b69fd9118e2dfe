import type { RecordChange } from "@patchbay/shared";

/** The same change without the record: which version of which record, and the names of what changed. */
export function withoutRecord(change: RecordChange): RecordChange {
  return { ...change, object: null, previous: {} };
}

/**
 * The bytes of an event as a thin endpoint gets them. The same bytes come of the same event, so that a retry sends what
 * the first try sent; events that carry no record are what they are.
 */
export function thinBody(body: Uint8Array): Uint8Array {
  // Sealed by us as an event.
  const event = JSON.parse(Buffer.from(body).toString()) as { readonly data: object };
  if (!("object" in event.data) || !("ref" in event.data)) return body;
  return Buffer.from(JSON.stringify({ ...event, data: withoutRecord(event.data as RecordChange) }));
}
