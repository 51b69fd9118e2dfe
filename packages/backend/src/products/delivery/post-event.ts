import { encodeId, type EventId } from "@patchbay/shared";
import type { Egress } from "../../platform/egress/index.ts";
import type { Clock, Secret } from "../../platform/runtime/index.ts";
import { isExempt, type UrlPolicy } from "./endpoint-url.ts";
import { judgeAttempt, type AttemptOutcome } from "./judge-attempt.ts";
import { signatureHeaders } from "./sign.ts";

interface Deps {
  readonly egress: Pick<Egress, "request">;
  readonly endpointOrigins: readonly string[];
  readonly clock: Clock;
}

export interface MadeAttempt {
  readonly outcome: AttemptOutcome;
  readonly startedAt: Date;
  readonly durationMs: number;
}

/** From the call to the last byte of the answer. The guard gives up connecting after 5 s. */
const DEADLINE_MS = 15_000;
const RESPONSE_BYTES_MAX = 16 * 1024;

/** Signs and posts the exact bytes of an event once. Not aborted when a worker stops: 15 s bound it. */
export async function postEvent(
  deps: Deps,
  input: {
    readonly url: string;
    readonly mode: UrlPolicy["mode"];
    readonly eventId: EventId;
    readonly body: Uint8Array;
    /** Newest first. */
    readonly secrets: readonly Secret[];
    /** What sends it again: a replay's id, or `manual`; `null`: nothing. */
    readonly replay: string | null;
  },
): Promise<MadeAttempt> {
  const startedAt = deps.clock.now();
  const startedMs = performance.now();
  const exempt = isExempt(input.url, { mode: input.mode, endpointOrigins: deps.endpointOrigins });
  const result = await deps.egress.request({
    url: input.url,
    method: "POST",
    headers: {
      "content-type": "application/json",
      "user-agent": "Patchbay/1",
      ...(input.replay === null ? {} : { "patchbay-replay": input.replay }),
      ...signatureHeaders(input.secrets, { id: encodeId("evt", input.eventId), sentAt: startedAt, body: input.body }),
    },
    body: input.body,
    exemptOrigins: exempt ? [new URL(input.url).origin] : [],
    requireHttps: true,
    deadlineMs: DEADLINE_MS,
    responseBytesMax: RESPONSE_BYTES_MAX,
  });
  return {
    outcome: judgeAttempt(result, deps.clock.now()),
    startedAt,
    durationMs: Math.round(performance.now() - startedMs),
  };
}
