import type { ProviderFault, ProviderResponse } from "../../connectors/kit/index.ts";

/** What an answer means by HTTP alone, where the connector has nothing to say. `null`: a success. */
export function genericFault({ status, headers }: ProviderResponse, now: Date): ProviderFault | null {
  if (status >= 200 && status < 300) return null;
  if (status === 401) return { kind: "reauthorize" };
  if (status === 403) return { kind: "missing_scope", scope: null };
  if (status === 404 || status === 410) return { kind: "gone" };
  if (status === 409) return { kind: "conflict" };
  if (status === 413) return { kind: "too_large" };
  if (status === 429)
    return { kind: "rate_limited", retryAfterSeconds: retryAfterSeconds(headers["retry-after"], now) };
  // 408: the server gave up waiting for us. 3xx: an API that moves us elsewhere is not the API we know.
  if (status === 408 || status < 400 || status >= 500) return { kind: "unavailable" };
  return { kind: "rejected", fields: [] };
}

/** A longer wait is a mistake or an insult: the item's own schedule comes back sooner. */
const RETRY_AFTER_SECONDS_MAX = 3_600;

/** Seconds, with or without a fraction, or an HTTP date. Anything else: `null`. */
export function retryAfterSeconds(value: string | undefined, now: Date): number | null {
  const text = value?.trim() ?? "";
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : (Date.parse(text) - now.getTime()) / 1000;
  if (Number.isNaN(seconds) || seconds < 0) return null;
  return Math.min(seconds, RETRY_AFTER_SECONDS_MAX);
}
