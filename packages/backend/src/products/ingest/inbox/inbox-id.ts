import type { InboxId } from "@patchbay/shared";
import { instantOfId, newId } from "../../../platform/runtime/index.ts";

/**
 * A new inbox id whose milliseconds are those of `receivedAt`: the id alone then tells the partition, and a read by
 * id touches one.
 */
export function inboxIdAt(receivedAt: Date): InboxId {
  const ms = receivedAt.getTime().toString(16).padStart(12, "0");
  return `${ms.slice(0, 8)}-${ms.slice(8)}${newId<InboxId>().slice(13)}` as InboxId;
}

/** Before every id of a delivery received at that time or later, behind every one received before. */
export function firstIdAt(instant: Date): InboxId {
  const ms = Math.max(0, instant.getTime()).toString(16).padStart(12, "0");
  return `${ms.slice(0, 8)}-${ms.slice(8)}-0000-0000-000000000000` as InboxId;
}

/** The end of the year 9999: later times have a form that Postgres does not read. */
const INSTANT_MS_MAX = Date.UTC(10_000, 0) - 1;

/** Whether an id from outside can be one of a delivery: rows are looked up by the time in it too. */
export function isInboxId(id: InboxId): boolean {
  return instantOfId(id).getTime() <= INSTANT_MS_MAX;
}
