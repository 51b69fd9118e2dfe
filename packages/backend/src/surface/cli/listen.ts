import { setTimeout as delay } from "node:timers/promises";
import { newSigningSecret } from "../../products/delivery/index.ts";
import { Secret } from "../../platform/runtime/index.ts";
import { fetchFeedPage, ListenError, type FeedEvent, type FeedPage } from "./fetch-feed-page.ts";
import { forwardEvent } from "./forward-event.ts";

export interface ListenInput {
  /** Where Patchbay runs. */
  readonly baseUrl: string;
  readonly apiKey: string;
  /** The developer's own handler; any URL they give. */
  readonly forwardUrl: string;
  /** A cursor of the feed to go on from; default: the newest event. */
  readonly after?: string | undefined;
  /** `whsec_…` to sign with; default: a new one, printed. */
  readonly secret?: string | undefined;
  readonly print: (line: string) => void;
  /** Ends it, without an error. */
  readonly signal: AbortSignal;
}

/** Wait at the end of the feed: short after an event, longer the longer nothing comes. */
const POLL_MS_MIN = 500;
const POLL_MS_MAX = 2_000;
/** Failed polls in a row before giving up, with waits that grow to ten seconds: about five minutes. */
const FAILURES_MAX = 36;
const FAILURE_WAIT_MS_MAX = 10_000;

/**
 * Brings events from the feed to a handler on the developer's machine, signed as deliveries are, until aborted.
 *
 * @throws ListenError with a sentence for the developer
 */
export async function runListen(input: ListenInput): Promise<void> {
  checkUrl("--forward", input.forwardUrl);
  checkUrl("--url", input.baseUrl);
  const secret = signingSecret(input.secret);
  input.print(`Events from ${input.baseUrl} go to ${input.forwardUrl}`);
  if (input.secret === undefined) input.print(`Verify them with this secret: ${secret.reveal()}`);
  try {
    await follow(input, secret);
  } catch (error) {
    if (!input.signal.aborted) throw error;
  }
}

async function follow(input: ListenInput, secret: Secret): Promise<void> {
  const { signal, print } = input;
  let cursor = input.after ?? null;
  let waitMs = POLL_MS_MIN;
  if (cursor === null) print("Waiting for the next event …");
  while (!signal.aborted) {
    const page: FeedPage = await poll(input, cursor);
    for (const event of page.data) await report(input, event, secret);
    cursor = page.nextCursor;
    if (page.hasMore) continue;
    waitMs = page.data.length > 0 ? POLL_MS_MIN : Math.min(waitMs * 1.5, POLL_MS_MAX);
    await delay(waitMs, undefined, { signal });
  }
}

/** The page behind `cursor`, also when Patchbay restarts meanwhile. */
async function poll(input: ListenInput, cursor: string | null): Promise<FeedPage> {
  for (let failures = 0; ; failures++) {
    const page = await fetchFeedPage(input, cursor);
    if (page !== "unreachable") {
      if (failures > 0) input.print("Patchbay answers again.");
      return page;
    }
    if (failures === 0) input.print(`Patchbay does not answer at ${input.baseUrl}; trying again …`);
    if (failures >= FAILURES_MAX) throw new ListenError(`Patchbay did not answer at ${input.baseUrl}; is it running?`);
    await delay(Math.min(POLL_MS_MIN * 2 ** failures, FAILURE_WAIT_MS_MAX), undefined, { signal: input.signal });
  }
}

/** Prints one line for each try: when, type, tenant, what the handler said, how long it took. */
async function report(input: ListenInput, event: FeedEvent, secret: Secret): Promise<void> {
  const name = `${event.type.padEnd(26)} ${(event.tenantId ?? "-").padEnd(16)}`;
  for await (const tried of forwardEvent(input, event, secret)) {
    const next = tried.retryInMs === null ? "" : `, again in ${tried.retryInMs / 1000} s`;
    const end = tried.ok || tried.retryInMs !== null ? "" : `, left out; it stays in the feed as ${event.id}`;
    input.print(`${timeOfDay()} ${name} ${tried.answer} in ${tried.durationMs} ms${next}${end}`);
  }
}

function timeOfDay(): string {
  return new Date().toTimeString().slice(0, 8);
}

function checkUrl(option: string, text: string): void {
  if (/^https?:$/.test(URL.parse(text)?.protocol ?? "")) return;
  throw new ListenError(`${option} must be a URL such as http://localhost:3000/webhooks, not ${JSON.stringify(text)}`);
}

function signingSecret(given: string | undefined): Secret {
  if (given === undefined) return newSigningSecret();
  if (/^whsec_[A-Za-z0-9+/]{16,}={0,2}$/.test(given)) return new Secret(given);
  throw new ListenError("--secret must be whsec_ and base64; leave it out to have one made");
}
