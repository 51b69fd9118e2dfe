import type { RestoreStatus } from "@patchbay/shared";
import type { BackupHeader, TableSum } from "./platform/db/backup/index.ts";

/** What a backup holds, for people. */
export function describeBackup(header: BackupHeader, tables: readonly TableSum[]): readonly string[] {
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  return [
    `Backup ${header.id} of ${header.takenAt}, by Patchbay ${header.patchbay}: ${rows} rows in ${tables.length} tables, all as they were written.`,
    `Its key is wrapped by version ${header.key.kekVersion} of "${header.key.provider}", which is not in it: keep that apart.`,
  ];
}

/** What an operator has to know and do after a restore. */
export function describeRestore(status: RestoreStatus): readonly string[] {
  const { restore, held, connectionsAtRisk, connectionsAtRiskCount } = status;
  if (restore === null) return ["This database was never restored from a backup."];
  const { backupTakenAt, restoredAt, confirmedAt } = restore;
  if (!held) return [`Restored at ${restoredAt} to how it was at ${backupTakenAt}; confirmed at ${confirmedAt}.`];
  const due = connectionsAtRisk.filter((each) => each.due).length;
  const shown = connectionsAtRisk.map(
    ({ workspaceId, tenantId, connectionId, provider, why, due: isDue }) =>
      `  ${workspaceId}  ${connectionId}  ${provider}  ${JSON.stringify(tenantId)}  ${WHY[why]}${isDue ? "; was due since" : ""}`,
  );
  const age = Math.max(0, Date.parse(restoredAt) - Date.parse(backupTakenAt));
  return [
    `HELD. Restored at ${restoredAt} to how it was at ${backupTakenAt}, ${minutes(age)} before.`,
    "Reads are answered and webhooks accepted; nothing is delivered, refreshed, synced or changed.",
    ...(connectionsAtRiskCount === 0
      ? ["No connection has tokens that change with use."]
      : [
          `${connectionsAtRiskCount} ${connectionsAtRiskCount === 1 ? "connection has" : "connections have"} tokens that change with use: what the source refreshed after the backup is dead here,`,
          `and their owners will be asked to authorize again. ${due} of those shown were due for it since.`,
          ...shown,
          ...(connectionsAtRiskCount > shown.length ? [`  … ${connectionsAtRiskCount - shown.length} more`] : []),
        ]),
    "Before you confirm:",
    "  make sure that the old installation is stopped for good: two that refresh the same tokens end each other's",
    "  erase again who was erased since the backup: patchbay restore erase --list <file>",
    "Then: patchbay restore confirm",
  ];
}

const WHY: Readonly<Record<RestoreStatus["connectionsAtRisk"][number]["why"], string>> = {
  singleUse: "each refresh token works once",
  untilReplaced: "a refresh token works until the next was used",
  ownRotation: "Patchbay replaces the key",
};

function minutes(ms: number): string {
  const total = Math.round(ms / 60_000);
  return total < 120 ? `${total} minutes` : `${Math.round(total / 60)} hours`;
}
