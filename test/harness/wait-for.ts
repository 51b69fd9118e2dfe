import { setTimeout as delay } from "node:timers/promises";

interface WaitOptions {
  readonly timeoutMs?: number;
  readonly intervalMs?: number;
  /** Completes "waited 10000 ms for …". */
  readonly what?: string;
}

/**
 * Asks until the answer is neither `undefined`, `null` nor `false`, and returns it.
 *
 * @throws Error when the time is over; an error that the last asking threw is its cause.
 */
export async function waitFor<T>(
  ask: () => T | Promise<T>,
  { timeoutMs = 10_000, intervalMs = 20, what = "a condition" }: WaitOptions = {},
): Promise<Exclude<T, undefined | null | false>> {
  const deadline = performance.now() + timeoutMs;
  let lastError: unknown;
  do {
    try {
      const answer = await ask();
      lastError = undefined;
      if (isGiven(answer)) return answer;
    } catch (error) {
      lastError = error;
    }
    await delay(intervalMs);
  } while (performance.now() < deadline);
  throw new Error(`waited ${timeoutMs} ms for ${what}`, { cause: lastError });
}

function isGiven<T>(answer: T): answer is Exclude<T, undefined | null | false> {
  return answer !== undefined && answer !== null && answer !== false;
}
