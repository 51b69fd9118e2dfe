import { encodeId, type AuditEntry } from "@patchbay/shared";
import { createHash } from "node:crypto";
import { canonicalJson } from "./canonical-json.ts";
import type { auditEntries } from "./tables.ts";

export type EntryRow = typeof auditEntries.$inferSelect;
/** All of an entry that its hash covers. */
export type EntryFacts = Omit<EntryRow, "hash" | "mac" | "macKeyId">;

/** What the first entry follows. */
export const GENESIS: Uint8Array = new Uint8Array(32);

/** The hash of an entry, which binds all entries before it too. Anybody can compute it from an export. */
export function chainHash(before: Uint8Array, entry: Omit<AuditEntry, "hash">): Buffer {
  return createHash("sha256").update(before).update(canonicalJson(entry)).digest();
}

/** An entry as it is hashed, exported and shown. */
export function toEntry(row: EntryFacts): Omit<AuditEntry, "hash"> {
  return {
    workspaceId: encodeId("ws", row.workspaceId),
    sequence: row.sequence,
    recordedAt: row.recordedAt.toISOString(),
    kind: row.kind,
    action: row.action,
    actor: { kind: row.actorKind, id: row.actorId },
    target: { type: row.targetType, id: row.targetId },
    tenantRef: row.tenantUid === null ? null : encodeId("ten", row.tenantUid),
    requestId: row.requestId,
    clientAddress: row.clientAddress,
    details: row.details,
  };
}
