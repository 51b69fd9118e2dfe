export { BackupError, BackupFileError } from "./backup-error.ts";
export type { BackupHeader, TableSum, WrappedBackupKey } from "./format.ts";
export { loadBackup } from "./load-backup.ts";
export { openBackup, type OpenBackupKey, type OpenedBackup } from "./open-backup.ts";
export { removeMarker } from "./restore-marker.ts";
export { writeBackup, type BackupSummary } from "./write-backup.ts";
