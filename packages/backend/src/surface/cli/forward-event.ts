import { setTimeout as delay } from "node:timers/promises";
import type { Secret } from "../../platform/runtime/index.ts";
import { signatureHeaders } from "../../products/delivery/index.ts";
import type { FeedEvent } from "./fetch-feed-page.ts";

/** One try to hand an event to the handler. */
export interface ForwardAttempt {
  readonly ok: boolean;
  /** The status, or why there is none. */
  readonly answer: string;
  readonly durationMs: number;
  /** `null`: this was the last one. */
  readonly retryInMs: number | null;
}

/** A handler that is just being edited and restarted gets another chance; four tries in all. */
const RETRY_WAITS_MS = [500, 2_000, 5_000];
const DEADLINE_MS = 15_000;

/** Posts an event, signed as deliveries are, until the handler takes it or the tries are used up. */
export async function* forwardEvent(
  target: { readonly forwardUrl: string; readonly signal: AbortSignal },
  event: FeedEvent,
  secret: Secret,
): AsyncGenerator<ForwardAttempt, void> {
  const body = Buffer.from(JSON.stringify(event));
  for (const waitMs of [...RETRY_WAITS_MS, null]) {
    const startedMs = performance.now();
    const status = await post(target, event.id, body, secret);
    const ok = typeof status === "number" && status >= 200 && status < 300;
    const retryInMs = ok ? null : waitMs;
    yield { ok, answer: String(status), durationMs: Math.round(performance.now() - startedMs), retryInMs };
    if (retryInMs === null) return;
    await delay(retryInMs, undefined, { signal: target.signal });
  }
}

async function post(
  target: { readonly forwardUrl: string; readonly signal: AbortSignal },
  id: string,
  body: Uint8Array<ArrayBuffer>,
  secret: Secret,
): Promise<number | "no answer" | "timeout"> {
  const timeout = AbortSignal.timeout(DEADLINE_MS);
  try {
    const response = await fetch(target.forwardUrl, {
      method: "POST",
      headers: { "content-type": "application/json", ...signatureHeaders([secret], { id, sentAt: new Date(), body }) },
      body,
      redirect: "manual",
      signal: AbortSignal.any([target.signal, timeout]),
    });
    await response.body?.cancel();
    return response.status;
  } catch (error) {
    if (target.signal.aborted) throw error;
    return timeout.aborted ? "timeout" : "no answer";
  }
}
