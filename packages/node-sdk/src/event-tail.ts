import { ApiAbortError } from "./errors.ts";
import type { PatchbayEvent } from "./events.ts";
import type { ListPage } from "./pagination.ts";
import type { ListEventsParams } from "./resources/events.ts";
import { isRetriable } from "./retry.ts";
import type { Runtime } from "./runtime.ts";

const POLL_MS_DEFAULT = 1_000;
const POLL_MS_MIN = 100;
const BACKOFF_MS_MAX = 30_000;
const FAILURES_MAX_DEFAULT = 20;

export interface TailParams extends ListEventsParams {
  /** Ends the tail, without an error. */
  readonly signal?: AbortSignal | undefined;
  /** Wait at the end of the feed, at least 100 ms; default 1000. */
  readonly pollMs?: number | undefined;
  /** Failed polls in a row before the tail throws; default 20, with waits that grow to 30 s. */
  readonly failuresMax?: number | undefined;
  /** Told of every failed poll that will be tried again. */
  readonly onFailure?: ((error: unknown) => void) | undefined;
}

/**
 * The feed as an endless sequence of events.
 *
 * Resuming at {@link cursor} never skips an event; it may repeat those of the page that was being worked on, so
 * drop ids that you have seen.
 */
export class EventTail implements AsyncIterable<PatchbayEvent> {
  /** Behind the last page that was used up: keep it to go on from here. `null` before the first poll. */
  cursor: string | null;
  readonly #fetchPage: (query: ListEventsParams) => PromiseLike<ListPage<PatchbayEvent>>;
  readonly #params: TailParams;
  readonly #runtime: Runtime;

  constructor(
    fetchPage: (query: ListEventsParams) => PromiseLike<ListPage<PatchbayEvent>>,
    params: TailParams,
    runtime: Runtime,
  ) {
    this.#fetchPage = fetchPage;
    this.#params = params;
    this.#runtime = runtime;
    this.cursor = params.after ?? null;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<PatchbayEvent, void> {
    const { signal } = this.#params;
    const pollMs = Math.max(this.#params.pollMs ?? POLL_MS_DEFAULT, POLL_MS_MIN);
    let failures = 0;
    while (!signal?.aborted) {
      const page = await this.#poll(failures + 1);
      if (page === "aborted") return;
      if (page === "failed") {
        failures++;
        await this.#runtime.sleep(Math.min(pollMs * 2 ** (failures - 1), BACKOFF_MS_MAX), signal);
        continue;
      }
      failures = 0;
      for (const event of page.data) {
        if (signal?.aborted) return;
        yield event;
      }
      this.cursor = page.nextCursor;
      if (!page.hasMore) await this.#runtime.sleep(pollMs, signal);
    }
  }

  /** @throws the error when it is final, or the `failure`-th in a row is too many */
  async #poll(failure: number): Promise<ListPage<PatchbayEvent> | "failed" | "aborted"> {
    const { type, tenantId, limit, from = "latest", failuresMax = FAILURES_MAX_DEFAULT, onFailure } = this.#params;
    const start = this.cursor === null ? { from } : { after: this.cursor };
    try {
      return await this.#fetchPage({ type, tenantId, limit, ...start });
    } catch (error) {
      if (error instanceof ApiAbortError) return "aborted";
      if (!isRetriable(error) || failure > failuresMax) throw error;
      onFailure?.(error);
      return "failed";
    }
  }
}
