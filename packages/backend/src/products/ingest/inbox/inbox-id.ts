import type { InboxId } from "@patchbay/shared";
import { newId } from "../../../platform/runtime/index.ts";

/**
 * A new inbox id whose milliseconds are those of `receivedAt`: the id alone then tells the partition, and a read by
 * id touches one.
 */
export function inboxIdAt(receivedAt: Date): InboxId {
  const ms = receivedAt.getTime().toString(16).padStart(12, "0");
  return `${ms.slice(0, 8)}-${ms.slice(8)}${newId<InboxId>().slice(13)}` as InboxId;
}
