import type { ApiPromise } from "../api-promise.ts";
import { EventTail, type TailParams } from "../event-tail.ts";
import type { EventType, PatchbayEvent } from "../events.ts";
import type { PagePromise } from "../pagination.ts";
import type { Runtime } from "../runtime.ts";
import type { RequestOptions, Transport } from "../transport.ts";

export interface ListEventsParams {
  /** `nextCursor` of an earlier page: what came after it. */
  readonly after?: string | undefined;
  /** Where to begin without `after`: at the oldest event kept (default), or behind the newest. */
  readonly from?: "start" | "latest" | undefined;
  readonly type?: EventType | (string & {}) | undefined;
  readonly tenantId?: string | undefined;
  /** Events per page, 1–100; default 50. */
  readonly limit?: number | undefined;
}

/** The feed: what webhooks deliver, for reading at your own pace. Oldest first, without gaps. */
export class Events {
  readonly #transport: Transport;
  readonly #runtime: Runtime;

  constructor(transport: Transport, runtime: Runtime) {
    this.#transport = transport;
    this.#runtime = runtime;
  }

  /** Reads to the end of the feed as it is now. Every page has a `nextCursor`, the last one too. */
  list(params: ListEventsParams = {}, options?: RequestOptions): PagePromise<PatchbayEvent> {
    return this.#transport.list({ method: "GET", path: ["events"], query: { ...params }, options }, "after");
  }

  /**
   * Follows the feed: waits at its end for what comes, until `signal` aborts.
   *
   * Starts behind the newest event unless `after` or `from` say otherwise.
   */
  tail(params: TailParams = {}, options?: RequestOptions): EventTail {
    return new EventTail((query) => this.list(query, { ...options, signal: params.signal }), params, this.#runtime);
  }

  /** @throws NotFoundError `event_not_found` */
  retrieve(id: string, options?: RequestOptions): ApiPromise<PatchbayEvent> {
    return this.#transport.request({ method: "GET", path: ["events", id], options });
  }
}
