/** The end of this start, told to the person in one sentence. */
export class Stop extends Error {
  name = "Stop";
}

/** Says that something cannot be written, for the system errors that mean it; passes others through. */
export function orUnwritable(error, folder) {
  const reasons = { EACCES: "permission denied", EPERM: "permission denied", EROFS: "read-only", ENOSPC: "disk full" };
  const reason = reasons[error?.code];
  return reason === undefined ? error : new Stop(`Patchbay cannot write to its folder ${folder} (${reason}).`);
}
