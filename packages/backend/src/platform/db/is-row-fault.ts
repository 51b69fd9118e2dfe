/** Depth of `cause` chains looked through. */
const CAUSES_MAX = 5;

/** Whether the database refused what it was given (a value, a constraint), rather than failing altogether. */
export function isRowFault(error: unknown): boolean {
  let current = error;
  for (let depth = 0; depth < CAUSES_MAX && current instanceof Error; depth++) {
    // Classes 22 (data), 23 (constraints) and 54 (limits) of PostgreSQL's error codes.
    if ("code" in current && typeof current.code === "string" && /^(?:22|23|54)[0-9A-Z]{3}$/.test(current.code)) {
      return true;
    }
    current = current.cause;
  }
  return false;
}
