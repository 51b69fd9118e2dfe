import { encodeId, type Erasure, type ErasureRemainder } from "@patchbay/shared";
import type { erasures } from "./tables.ts";

export type ErasureRow = typeof erasures.$inferSelect;

/** What an erasure did, and what it had to leave. */
export function toReceipt(row: ErasureRow): Erasure {
  return {
    id: encodeId("era", row.id),
    tenantRef: encodeId("ten", row.tenantUid),
    status: row.status,
    requestedAt: row.requestedAt.toISOString(),
    shreddedAt: row.shreddedAt.toISOString(),
    completedAt: row.completedAt?.toISOString() ?? null,
    keysDestroyed: row.keysDestroyed,
    rowsRemoved: row.rowsRemoved,
    grants: { destroyed: row.grantsDestroyed, shared: row.grantsShared, pending: row.openGrants.length },
    provider: providerOf(row),
    remains: remainsOf(row),
  };
}

/** Raw deliveries go by whole days, the day after the last on which one must be kept. */
export function rawUntil(now: Date, retentionDays: number): Date {
  return new Date(startOfDay(now) + (retentionDays + 1) * DAY_MS);
}

const DAY_MS = 86_400_000;
/** Answers to requests with an `Idempotency-Key` are kept for this long. */
const ANSWERS_KEPT_MS = DAY_MS;

function startOfDay(at: Date): number {
  return Math.floor(at.getTime() / DAY_MS) * DAY_MS;
}

function providerOf(row: ErasureRow): Erasure["provider"] {
  if (row.openGrants.length > 0) return "pending";
  if (row.grantsUntold > 0) return "unreachable";
  return row.grantsDestroyed > 0 ? "told" : "none";
}

function remainsOf(row: ErasureRow): readonly ErasureRemainder[] {
  const versions = row.keyVersions.length === 0 ? "" : ` (${row.keyVersions.join(", ")})`;
  return [
    {
      what: "database_backups",
      until: backupsUntil(row)?.toISOString() ?? null,
      detail:
        (row.backupRetentionDays === null
          ? "The operator has not told how long database backups and write-ahead logs are kept: until they are gone, "
          : "Until the last backup and write-ahead log from before the erasure is gone, ") +
        "they hold the data, and wrapped keys to what was sealed; normalized records stand in them in clear. Whoever " +
        "restores one has to repeat the erasure before work goes on (`patchbay restore erase`). What was " +
        `sealed ends earlier if the versions of the key-encryption key of that time${versions} are retired after all ` +
        "keys were wrapped anew.",
    },
    {
      what: "raw_webhooks",
      until: row.rawUntil.toISOString(),
      detail:
        "Webhooks to an address of a whole app mix accounts: their bodies stay sealed under a key per address and day, " +
        "and the headers of all webhooks, which name account and topic, stay in clear. Bodies that came to the tenant's " +
        "own addresses are unreadable already.",
    },
    {
      what: "replayed_answers",
      until: new Date(row.requestedAt.getTime() + ANSWERS_KEPT_MS).toISOString(),
      detail: "Answers to requests with an Idempotency-Key are kept sealed for 24 hours, for the same key only.",
    },
    {
      what: "audit_log",
      until: null,
      detail: "The audit log cannot be changed. It holds random ids, codes and times, and nothing about persons.",
    },
    {
      what: "delivered_events",
      until: null,
      detail: "What your endpoints, feed readers and API callers received before is in your hands.",
    },
  ];
}

function backupsUntil({ shreddedAt, completedAt, backupRetentionDays }: ErasureRow): Date | null {
  if (backupRetentionDays === null) return null;
  // Rows are in each backup until they are removed.
  return new Date((completedAt ?? shreddedAt).getTime() + backupRetentionDays * DAY_MS);
}
