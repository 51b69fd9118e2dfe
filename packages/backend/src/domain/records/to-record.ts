import { MODELS, SCHEMA_VERSION, encodeId, type AnyRecord } from "@patchbay/shared";
import type { records } from "./tables.ts";

export type RecordRow = typeof records.$inferSelect;

/** The public form of a stored record. @param raw what the provider sent, only when asked for */
export function toRecord(
  row: Omit<RecordRow, "raw" | "bodyKeyId">,
  tenantExternalId: string,
  raw?: unknown,
): AnyRecord {
  const record = {
    ...row.data,
    id: encodeId(MODELS[row.model], row.id),
    object: row.model,
    schemaVersion: SCHEMA_VERSION,
    tenantId: tenantExternalId,
    connectionId: encodeId("conn", row.connectionId),
    provider: row.provider,
    providerAccountId: row.accountId,
    remoteWasDeleted: row.deleted,
    remoteDeletedAt: row.remoteDeletedAt?.toISOString() ?? null,
    firstSeenAt: row.firstSeenAt.toISOString(),
    changedAt: row.changedAt.toISOString(),
    version: row.version,
    changeSeq: row.changeSeq.toString(),
    contentHash: Buffer.from(row.contentHash).toString("base64url"),
    ...(raw === undefined ? {} : { raw }),
  };
  // `data` passed the model's schema before it was stored.
  return record as unknown as AnyRecord;
}
