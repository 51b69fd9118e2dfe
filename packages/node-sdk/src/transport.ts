import { ApiPromise, type ApiResponse } from "./api-promise.ts";
import { ApiAbortError, ApiConnectionError, ApiTimeoutError, errorFromAnswer, PatchbayError } from "./errors.ts";
import { readLines } from "./line-stream.ts";
import { PagePromise, type WirePage } from "./pagination.ts";
import { parseRetryAfter, retryDelayMs } from "./retry.ts";
import type { Runtime } from "./runtime.ts";
import { VERSION } from "./version.ts";

const RESPONSE_BYTES_MAX = 32 * 1024 * 1024;

/** What every call takes as its last argument. */
export interface RequestOptions {
  /** Aborts the call, between tries too. */
  readonly signal?: AbortSignal | undefined;
  /** For each try; default: the client's. */
  readonly timeoutMs?: number | undefined;
  /** Tries after the first one; default: the client's. */
  readonly maxRetries?: number | undefined;
  /** For calls that change something: your own key, so that a call repeated by you acts once. Default: a random UUID. */
  readonly idempotencyKey?: string | undefined;
}

/** One call of the API, apart from where and with which key. */
export interface Call {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Segments below `/v1`; each is encoded. */
  readonly path: readonly string[];
  readonly query?: Query | undefined;
  readonly body?: object | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly options?: RequestOptions | undefined;
}
export type Query = Readonly<Record<string, string | number | boolean | Date | null | undefined>>;

export interface TransportConfig {
  readonly apiKey: string;
  readonly baseUrl: string;
  readonly timeoutMs: number;
  readonly maxRetries: number;
}

/** Sends calls: URL, key, deadline, retries, errors. Knows nothing of resources. */
export class Transport {
  readonly #config: TransportConfig;
  readonly #runtime: Runtime;

  constructor(config: TransportConfig, runtime: Runtime) {
    this.#config = config;
    this.#runtime = runtime;
  }

  request<Data>(call: Call): ApiPromise<Data> {
    return new ApiPromise(this.#send<Data>(call));
  }

  /** A list, by pages. `cursorParameter` is the query parameter that takes the cursor. */
  list<Item>(call: Call, cursorParameter: "cursor" | "after" = "cursor"): PagePromise<Item> {
    return new PagePromise((cursor) =>
      this.#send<WirePage<Item>>(
        cursor === undefined ? call : { ...call, query: { ...call.query, [cursorParameter]: cursor } },
      ),
    );
  }

  /**
   * Opens an answer that comes line by line. The call's deadline is for its beginning; after that it may take as long
   * as it likes, but not be silent for longer than `silenceMsMax`.
   */
  lines(call: Call, silenceMsMax: number): Promise<AsyncGenerator<string, void>> {
    return this.#retrying(call, async (url, init) => {
      const stop = new AbortController();
      const response = await this.#fetch(url, init, call.options, stop, async (answer) => answer);
      if (response.ok && response.body !== null) {
        return readLines(response.body, { ...this.#runtime, silenceMsMax, stop, signal: call.options?.signal });
      }
      this.#parse(response, await readText(response));
      throw new PatchbayError("an answer without a body where a stream was asked for");
    });
  }

  #send<Data>(call: Call): Promise<ApiResponse<Data>> {
    return this.#retrying(call, async (url, init) => {
      const stop = new AbortController();
      const [response, text] = await this.#fetch(url, init, call.options, stop, async (answer) => [
        answer,
        await readText(answer),
      ]);
      return this.#parse<Data>(response, text);
    });
  }

  async #retrying<Result>(call: Call, attempt: (url: URL, init: RequestInit) => Promise<Result>): Promise<Result> {
    const url = this.#url(call);
    const init = this.#init(call);
    const triesMax = 1 + (call.options?.maxRetries ?? this.#config.maxRetries);
    for (let tries = 1; ; tries++) {
      try {
        return await attempt(url, init);
      } catch (error) {
        const delayMs = tries < triesMax ? retryDelayMs(error, tries, this.#runtime.random) : null;
        if (delayMs === null) throw error;
        await this.#runtime.sleep(delayMs, call.options?.signal);
      }
    }
  }

  /** One try; the deadline counts until `take` has what it wants of the answer. */
  async #fetch<Taken>(
    url: URL,
    init: RequestInit,
    options: RequestOptions = {},
    stop: AbortController,
    take: (response: Response) => Promise<Taken>,
  ): Promise<Taken> {
    if (options.signal?.aborted) throw new ApiAbortError("the request was aborted", { cause: options.signal.reason });
    const timeoutMs = options.timeoutMs ?? this.#config.timeoutMs;
    const deadline = this.#runtime.deadline(timeoutMs);
    const giveUp = () => stop.abort(deadline.reason);
    deadline.addEventListener("abort", giveUp, { once: true });
    const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
    try {
      return await take(await this.#runtime.fetch(url, { ...init, signal }));
    } catch (cause) {
      if (cause instanceof PatchbayError) throw cause;
      if (options.signal?.aborted) throw new ApiAbortError("the request was aborted", { cause });
      if (deadline.aborted) throw new ApiTimeoutError(`no answer within ${timeoutMs} ms`, { cause });
      throw new ApiConnectionError(`could not reach ${url.origin}: ${reasonOf(cause)}`, { cause });
    } finally {
      deadline.removeEventListener("abort", giveUp);
    }
  }

  #parse<Data>(response: Response, text: string): ApiResponse<Data> {
    const { status, headers } = response;
    const requestId = headers.get("x-request-id");
    const retryAfterSeconds = parseRetryAfter(headers.get("retry-after"), this.#runtime.now());
    const body = parseJson(text);
    if (!response.ok || body === NOT_JSON) throw errorFromAnswer({ status, requestId, retryAfterSeconds }, body);
    // The types are the server's promise: the same contract its own answers are checked against.
    return { data: body as Data, status, headers, requestId };
  }

  #url(call: Call): URL {
    const url = new URL(`${this.#config.baseUrl}/v1/${call.path.map(segment).join("/")}`);
    for (const [name, value] of Object.entries(call.query ?? {})) {
      if (value === undefined || value === null) continue;
      url.searchParams.set(name, value instanceof Date ? value.toISOString() : String(value));
    }
    return url;
  }

  #init(call: Call): RequestInit {
    const headers = new Headers({
      accept: "application/json",
      authorization: `Bearer ${this.#config.apiKey}`,
      "user-agent": `patchbay-node/${VERSION}`,
      ...call.headers,
    });
    if (call.method !== "GET") {
      headers.set("idempotency-key", call.options?.idempotencyKey ?? this.#runtime.uuid());
    }
    if (call.body === undefined) return { method: call.method, headers, redirect: "manual" };
    headers.set("content-type", "application/json");
    return { method: call.method, headers, redirect: "manual", body: JSON.stringify(call.body) };
  }
}

/** An id as one path segment. `.` and `..` would name another route, an empty one the list. */
function segment(text: string): string {
  if (typeof text !== "string" || text === "" || text === "." || text === "..") {
    throw new PatchbayError(`not an id: ${JSON.stringify(text)}`);
  }
  return encodeURIComponent(text);
}

async function readText(response: Response): Promise<string> {
  if (response.body === null) return "";
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > RESPONSE_BYTES_MAX) throw new PatchbayError(`the answer is larger than ${RESPONSE_BYTES_MAX} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

const NOT_JSON = Symbol("not JSON");

/** `undefined` for an empty body (204), {@link NOT_JSON} for what is not ours. */
function parseJson(text: string): unknown {
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return NOT_JSON;
  }
}

/** Node's fetch says "fetch failed" and keeps the reason in `cause`. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown reason";
  const { cause } = error;
  if (!(cause instanceof Error)) return error.message;
  return "code" in cause && typeof cause.code === "string" ? cause.code : cause.message;
}
