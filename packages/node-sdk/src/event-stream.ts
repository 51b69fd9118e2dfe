import { ApiAbortError } from "./errors.ts";
import type { EventType, PatchbayEvent } from "./events.ts";
import { isRetriable } from "./retry.ts";
import type { Runtime } from "./runtime.ts";

const RECONNECT_MS = 500;
const RECONNECT_MS_MAX = 30_000;
const FAILURES_MAX_DEFAULT = 20;

export interface StreamEventsParams {
  /** A cursor: what came after it. */
  readonly after?: string | undefined;
  /** Where to begin without `after`: behind the newest event (default), or at the oldest one kept. */
  readonly from?: "start" | "latest" | undefined;
  readonly type?: EventType | (string & {}) | undefined;
  readonly tenantId?: string | undefined;
  /** Ends the stream, without an error. */
  readonly signal?: AbortSignal | undefined;
  /** Failed connections in a row before the stream throws; default 20, with waits that grow to 30 s. */
  readonly failuresMax?: number | undefined;
  /** Told of every failed connection that will be tried again. */
  readonly onFailure?: ((error: unknown) => void) | undefined;
}

/** Opens a connection that goes on behind `cursor`; its lines are Server-Sent Events. */
export type OpenStream = (cursor: string | null) => Promise<AsyncIterable<string>>;

/**
 * The feed as an endless sequence of events, each within milliseconds of its place. It comes again by itself when the
 * connection is lost, and misses nothing.
 */
export class EventStream implements AsyncIterable<PatchbayEvent> {
  /** Behind the last event that was given: keep it to go on from here. `null` before the first. */
  cursor: string | null;
  readonly #open: OpenStream;
  readonly #params: StreamEventsParams;
  readonly #runtime: Runtime;

  constructor(open: OpenStream, params: StreamEventsParams, runtime: Runtime) {
    this.#open = open;
    this.#params = params;
    this.#runtime = runtime;
    this.cursor = params.after ?? null;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<PatchbayEvent, void> {
    const { signal, onFailure, failuresMax = FAILURES_MAX_DEFAULT } = this.#params;
    let failures = 0;
    while (!signal?.aborted) {
      try {
        for await (const { id, data } of readEvents(await this.#open(this.cursor))) {
          failures = 0;
          // Before it is given: whoever keeps the cursor while working on the event goes on behind it.
          this.cursor = id ?? this.cursor;
          if (data !== null) yield JSON.parse(data) as PatchbayEvent;
          if (signal?.aborted) return;
        }
      } catch (error) {
        if (error instanceof ApiAbortError) return;
        if (!isRetriable(error) || ++failures > failuresMax) throw error;
        onFailure?.(error);
        await this.#runtime.sleep(Math.min(RECONNECT_MS * 2 ** (failures - 1), RECONNECT_MS_MAX), signal);
      }
    }
  }
}

/** @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation */
async function* readEvents(
  lines: AsyncIterable<string>,
): AsyncGenerator<{ readonly id: string | null; readonly data: string | null }, void> {
  let id: string | null = null;
  let data: string[] = [];
  for await (const text of lines) {
    const line = text.endsWith("\r") ? text.slice(0, -1) : text;
    if (line === "") {
      if (id !== null || data.length > 0) yield { id, data: data.length === 0 ? null : data.join("\n") };
      id = null;
      data = [];
      continue;
    }
    const [, name = "", value = ""] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
    if (name === "id") id = value;
    if (name === "data") data.push(value);
  }
}
