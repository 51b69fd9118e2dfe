import { assertNever } from "@patchbay/shared";
import type { ProviderFault } from "../../connectors/kit/index.ts";
import type { Random } from "../../platform/runtime/index.ts";

export const ATTEMPTS_MAX = 5;
const BASE_MS = 100;
const CAP_MS = 30_000;

/**
 * Wait before attempt number `attempt` (the second is 2), with full jitter; at least what the provider asked for.
 *
 * @returns milliseconds
 * @see https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
 */
export function retryDelayMs(attempt: number, retryAfterSeconds: number | null, random: Random): number {
  const ceilingMs = Math.min(BASE_MS * 2 ** (attempt - 2), CAP_MS);
  return (retryAfterSeconds ?? 0) * 1000 + Math.floor(random() * ceilingMs);
}

/** How one attempt failed. */
export interface Failure {
  readonly fault: ProviderFault;
  /** Whether the request may have been carried out. */
  readonly reached: "no" | "maybe";
  /** No answer at all although the request was sent. */
  readonly silent: boolean;
}

/**
 * Whether another attempt may help, and what to do before it.
 *
 * What never left and what was refused for its rate may always be sent again; what may have been carried out only if
 * twice is as good as once; silence is asked about once.
 */
export function afterFailure(
  failure: Failure,
  request: { readonly idempotent: boolean },
  attempt: number,
  silences: number,
): "stop" | "retry" | "refresh" {
  if (attempt >= ATTEMPTS_MAX) return "stop";
  const { fault } = failure;
  switch (fault.kind) {
    case "reauthorize":
      return "refresh";
    case "rate_limited":
      return "retry";
    case "unavailable":
      if (failure.reached === "no") return "retry";
      if (!request.idempotent) return "stop";
      return failure.silent && silences > 1 ? "stop" : "retry";
    case "missing_scope":
    case "refused":
    case "suspended":
    case "too_large":
    case "gone":
    case "conflict":
    case "rejected":
      return "stop";
    default:
      return assertNever(fault);
  }
}
