import type { EgressResult } from "../../platform/egress/index.ts";
import { parseRetryAfter } from "./schedule.ts";

/** What one HTTP try came to. */
export interface AttemptOutcome {
  /** `gone`: the receiver asks never to be called again. */
  readonly verdict: "delivered" | "failed" | "gone";
  /** `null` when no answer came. */
  readonly statusCode: number | null;
  readonly problem: string | null;
  readonly responseBody: string | null;
  /** The receiver's `Retry-After`. */
  readonly retryAfterMs: number | null;
  /** How much it tells about the endpoint: answers that refuse the request itself count twice. */
  readonly weight: 1 | 2;
  /** The receiver asked for a pause of everything, not of this delivery alone. */
  readonly throttled: boolean;
}

/** A 2xx is a delivery, whatever its body; everything else is not. Redirects are never followed. */
export function judgeAttempt(result: EgressResult, now: Date): AttemptOutcome {
  if (!result.ok) {
    return {
      verdict: "failed",
      statusCode: null,
      problem: result.problem,
      responseBody: null,
      retryAfterMs: null,
      weight: 1,
      throttled: false,
    };
  }
  const { status } = result;
  const answer = { statusCode: status, responseBody: toText(result.body), throttled: false } as const;
  if (status >= 200 && status < 300) {
    return { ...answer, verdict: "delivered", problem: null, retryAfterMs: null, weight: 1 };
  }
  return {
    ...answer,
    verdict: status === 410 ? "gone" : "failed",
    problem: status >= 300 && status < 400 ? "redirect" : "status",
    retryAfterMs: parseRetryAfter(result.headers["retry-after"], now),
    weight: REFUSALS.has(status) ? 2 : 1,
    throttled: status === 429 || status === 503,
  };
}

/** The receiver is there and does not want the request: sending more of the same helps less than after a 5xx. */
const REFUSALS: ReadonlySet<number> = new Set([400, 401, 403, 404, 422]);

function toText(body: Uint8Array): string | null {
  // Postgres takes no NUL in text.
  return body.length === 0 ? null : Buffer.from(body).toString("utf8").replaceAll("\0", "\u{fffd}");
}
