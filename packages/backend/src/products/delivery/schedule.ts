import type { Random } from "../../platform/runtime/index.ts";

const MINUTE = 60;
const HOUR = 60 * MINUTE;

/**
 * Waits before attempt 1, 2, … of a delivery, in seconds: 75.6 hours in all. After the last one it is a dead letter.
 *
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md (section "Retries")
 */
export const SCHEDULE_SECONDS: readonly number[] = [
  0,
  5,
  5 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  5 * HOUR,
  10 * HOUR,
  14 * HOUR,
  20 * HOUR,
  24 * HOUR,
];
/** A wait may be this part of itself shorter or longer, so that failed deliveries do not come back in step. */
const JITTER = 0.2;
const RETRY_AFTER_MS_MAX = 24 * HOUR * 1000;

/**
 * When to try again after `attemptsMade` attempts (≥ 1) of this schedule; `null`: no more.
 *
 * @param retryAfterMs what the receiver asked for: never earlier than that, as far as it asks for at most 24 hours
 */
export function nextAttemptAt(
  attemptsMade: number,
  now: Date,
  random: Random,
  retryAfterMs: number | null = null,
): Date | null {
  const waitSeconds = SCHEDULE_SECONDS[attemptsMade];
  if (waitSeconds === undefined) return null;
  const jitteredMs = waitSeconds * 1000 * (1 - JITTER + 2 * JITTER * random());
  const floorMs = Math.min(retryAfterMs ?? 0, RETRY_AFTER_MS_MAX);
  return new Date(now.getTime() + Math.round(Math.max(jitteredMs, floorMs)));
}

/** The wait that a `Retry-After` header asks for, in milliseconds; `null` when it is none. @see RFC 9110 10.2.3 */
export function parseRetryAfter(value: string | undefined, now: Date): number | null {
  if (value === undefined) return null;
  const text = value.trim();
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  // Every form of an HTTP date begins with the day's name; `Date.parse` alone would take "1" for a year.
  if (!/^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)/.test(text)) return null;
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : Math.max(0, at - now.getTime());
}
