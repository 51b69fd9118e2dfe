import { ApiConnectionError, ApiError } from "./errors.ts";

const BASE_MS = 500;
const CEILING_MS = 8_000;
/** A server that asks for a longer wait is not waited for: the caller gets the error and decides. */
export const RETRY_AFTER_MAX_MS = 60_000;

/**
 * How long to wait before the next try, or `null` when there must be none.
 *
 * `Retry-After` is honoured as the least wait; otherwise full jitter below 0.5 s, 1 s, 2 s … 8 s.
 *
 * @param failures how many tries have failed so far, from 1
 * @param random uniform in [0, 1); passed in so that tests can fix it
 * @see https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
 */
export function retryDelayMs(error: unknown, failures: number, random: () => number): number | null {
  if (!isRetriable(error)) return null;
  const jitterMs = Math.floor(random() * Math.min(BASE_MS * 2 ** (failures - 1), CEILING_MS));
  if (!(error instanceof ApiError) || error.retryAfterSeconds === null) return jitterMs;
  const askedMs = error.retryAfterSeconds * 1000;
  return askedMs > RETRY_AFTER_MAX_MS ? null : Math.max(askedMs, jitterMs);
}

/** Whether the same request may succeed later. */
export function isRetriable(error: unknown): boolean {
  return (error instanceof ApiError || error instanceof ApiConnectionError) && error.retriable;
}

/** Seconds of a `Retry-After` header: a number, or a date on the server's clock. `null` when absent or unreadable. */
export function parseRetryAfter(header: string | null, nowMs: number): number | null {
  if (header === null) return null;
  if (/^\d{1,9}(\.\d+)?$/.test(header)) return Number(header);
  // Date.parse alone reads "-3" as a month of 2001.
  const atMs = header.endsWith(" GMT") ? Date.parse(header) : Number.NaN;
  return Number.isNaN(atMs) ? null : Math.max(0, (atMs - nowMs) / 1000);
}
