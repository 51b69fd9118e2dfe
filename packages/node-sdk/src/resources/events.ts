import type { EventTypeList } from "@patchbay/shared";
import type { ApiPromise } from "../api-promise.ts";
import { EventStream, type StreamEventsParams } from "../event-stream.ts";
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

/** The server says something every 10 seconds. */
const SILENCE_MS_MAX = 30_000;

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

  /** The catalogue: every type of event with its JSON Schema and an example. */
  types(options?: RequestOptions): ApiPromise<EventTypeList> {
    return this.#transport.request({ method: "GET", path: ["event-types"], options });
  }

  /**
   * Follows the feed: waits at its end for what comes, until `signal` aborts.
   *
   * Starts behind the newest event unless `after` or `from` say otherwise.
   */
  tail(params: TailParams = {}, options?: RequestOptions): EventTail {
    return new EventTail((query) => this.list(query, { ...options, signal: params.signal }), params, this.#runtime);
  }

  /**
   * The feed as it grows, pushed over one connection (Server-Sent Events): the quickest way without a public URL of
   * your own. Where a proxy lets no streams pass, use {@link tail}.
   *
   * Starts behind the newest event unless `after` or `from` say otherwise.
   */
  stream(params: StreamEventsParams = {}, options?: RequestOptions): EventStream {
    const { type, tenantId, from, signal } = params;
    return new EventStream(
      (cursor) =>
        this.#transport.lines(
          {
            method: "GET",
            path: ["events", "stream"],
            query: { type, tenantId, from: cursor === null ? from : undefined },
            headers: { accept: "text/event-stream", ...(cursor === null ? {} : { "last-event-id": cursor }) },
            options: { ...options, signal, maxRetries: 0 },
          },
          SILENCE_MS_MAX,
        ),
      params,
      this.#runtime,
    );
  }

  /** @throws NotFoundError `event_not_found` */
  retrieve(id: string, options?: RequestOptions): ApiPromise<PatchbayEvent> {
    return this.#transport.request({ method: "GET", path: ["events", id], options });
  }
}
