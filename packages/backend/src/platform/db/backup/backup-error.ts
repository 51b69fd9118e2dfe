/** A backup cannot be made or restored; the message is one sentence for the operator. */
export class BackupError extends Error {
  override readonly name: string = "BackupError";
}

/** The file is not a backup, or not a whole one: nothing of it may be used. */
export class BackupFileError extends BackupError {
  override readonly name = "BackupFileError";
}
