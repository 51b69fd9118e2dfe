/** An answer with what came around its body. */
export interface ApiResponse<Data> {
  readonly data: Data;
  readonly status: number;
  readonly headers: Headers;
  /** Quote it when you ask for help. */
  readonly requestId: string | null;
}

/**
 * The promise that every call returns: `await` it for the data, or `.withResponse()` for status and headers too.
 *
 * The request is on its way when you hold it, awaited or not.
 */
export class ApiPromise<Data> implements Promise<Data> {
  readonly [Symbol.toStringTag] = "ApiPromise";
  readonly #response: Promise<ApiResponse<Data>>;

  constructor(response: Promise<ApiResponse<Data>>) {
    this.#response = response;
  }

  /** The data with status, headers and request id. */
  withResponse(): Promise<ApiResponse<Data>> {
    return this.#response;
  }

  // oxlint-disable-next-line unicorn/no-thenable -- being a promise is the point
  then<A = Data, B = never>(
    onData?: ((data: Data) => A | PromiseLike<A>) | null,
    onError?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#response.then((response) => response.data).then(onData, onError);
  }

  catch<B = never>(onError?: ((reason: unknown) => B | PromiseLike<B>) | null): Promise<Data | B> {
    return this.then(null, onError);
  }

  finally(onSettled?: (() => void) | null): Promise<Data> {
    return this.then((data) => data).finally(onSettled);
  }
}
