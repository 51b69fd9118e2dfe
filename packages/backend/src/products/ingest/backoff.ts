const BASE_MS = 1_000;
const CAP_MS = 300_000;

/** When to come back after the `failures`-th failure in a row: 1 s, 2 s, 4 s … 5 min. The client jitters its own retries. */
export function backOff(now: Date, failures: number, retryAfterSeconds: number | null = null): Date {
  const ms = Math.min(BASE_MS * 2 ** Math.min(failures, 20), CAP_MS);
  return new Date(now.getTime() + Math.max(ms, (retryAfterSeconds ?? 0) * 1000));
}
