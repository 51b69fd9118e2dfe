import { encodeId, type InboxReplay } from "@patchbay/shared";
import type { inboxReplays } from "../tables.ts";

export type ReplayRow = typeof inboxReplays.$inferSelect;

export function toReplay(row: ReplayRow): InboxReplay {
  return {
    id: encodeId("irp", row.id),
    status: row.status,
    filter: {
      ...(row.provider === null ? {} : { provider: row.provider }),
      ...(row.sourceId === null ? {} : { sourceId: encodeId("src", row.sourceId) }),
      ...(row.connectionId === null ? {} : { connectionId: encodeId("conn", row.connectionId) }),
      ...(row.itemStatus === null ? {} : { status: row.itemStatus }),
      ...(row.since === null ? {} : { since: row.since.toISOString() }),
      until: row.until.toISOString(),
    },
    ids: row.inboxIds?.length ?? null,
    ratePerSecond: row.ratePerSecond,
    matches: row.matched,
    replayed: row.replayed,
    skipped: row.skipped,
    failed: row.failed,
    createdAt: row.createdAt.toISOString(),
    finishedAt: row.finishedAt?.toISOString() ?? null,
  };
}
