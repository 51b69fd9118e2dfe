import { subscribe, unsubscribe } from "node:diagnostics_channel";

/** One HTTP request of this process, as its client saw it. Times are those of `performance.now()`. */
export interface Exchange {
  readonly method: string;
  readonly path: string;
  /** As text; empty for streams. */
  readonly body: string;
  readonly startedMs: number;
  /** `null` while it runs. */
  endedMs: number | null;
}

export interface HttpWatch {
  readonly exchanges: readonly Exchange[];
  stop(): void;
}

/**
 * Watches what undici sends in this process: the store's webhooks, the product's reads and deliveries. The product
 * itself is not changed for it.
 */
export function watchHttp(): HttpWatch {
  const exchanges: Exchange[] = [];
  const running = new WeakMap<object, Exchange>();
  const begin = (message: unknown) => {
    const { request } = message as Message;
    const exchange: Exchange = {
      method: request.method,
      path: request.path,
      body: textOf(request.body),
      startedMs: performance.now(),
      endedMs: null,
    };
    running.set(request, exchange);
    exchanges.push(exchange);
  };
  const end = (message: unknown) => {
    const exchange = running.get((message as Message).request);
    if (exchange !== undefined) exchange.endedMs ??= performance.now();
  };
  const listeners = [
    ["undici:request:create", begin],
    ["undici:request:trailers", end],
    ["undici:request:error", end],
  ] as const;
  for (const [name, listener] of listeners) subscribe(name, listener);
  return {
    exchanges,
    stop() {
      for (const [name, listener] of listeners) unsubscribe(name, listener);
    },
  };
}

interface Message {
  readonly request: { readonly method: string; readonly path: string; readonly body: unknown };
}

function textOf(body: unknown): string {
  if (typeof body === "string") return body;
  return body instanceof Uint8Array ? Buffer.from(body).toString() : "";
}
