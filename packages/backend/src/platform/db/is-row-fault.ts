/** Depth of `cause` chains looked through. */
const CAUSES_MAX = 5;

/** Whether the database refused what it was given (a value, a constraint), rather than failing altogether. */
export function isRowFault(error: unknown): boolean {
  // Classes 22 (data), 23 (constraints) and 54 (limits) of PostgreSQL's error codes.
  return hasCode(error, /^(?:22|23|54)[0-9A-Z]{3}$/);
}

/** Whether a transaction was ended since others waited for it, and it for them: it may be tried again. */
export function isDeadlock(error: unknown): boolean {
  return hasCode(error, /^40P01$/);
}

function hasCode(error: unknown, code: RegExp): boolean {
  let current = error;
  for (let depth = 0; depth < CAUSES_MAX && current instanceof Error; depth++) {
    if ("code" in current && typeof current.code === "string" && code.test(current.code)) return true;
    current = current.cause;
  }
  return false;
}
