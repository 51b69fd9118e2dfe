import type { Operation } from "../security/routes.ts";

/** One answer of the product, as it came over the wire. */
export interface Exchange {
  readonly name: string;
  readonly operation: Operation | undefined;
  readonly status: number;
  readonly type: string;
  text: string;
  readonly requestId: string | null;
}

/** A `fetch` that asks as `plainFetch` does, and keeps what the API at `baseUrl` answered, oldest first. */
export function recordExchanges(
  plainFetch: typeof fetch,
  baseUrl: string,
  operations: readonly Operation[],
): { readonly fetch: typeof fetch; readonly exchanges: readonly Exchange[] } {
  const exchanges: Exchange[] = [];
  const { origin } = new URL(baseUrl);
  return { fetch: fetchAndKeep, exchanges };

  async function fetchAndKeep(...args: Parameters<typeof fetch>): Promise<Response> {
    const response = await plainFetch(...args);
    const [input, init] = args;
    const url = new URL(input instanceof Request ? input.url : input);
    if (url.origin !== origin || !/^\/(v1|connect|admin|nowhere)/.test(url.pathname)) {
      return response;
    }
    const method = init?.method ?? "GET";
    const exchange: Exchange = {
      name: `${method} ${url.pathname}`,
      operation: operations.find((each) => each.method === method && patternOf(each).test(url.pathname)),
      status: response.status,
      type: response.headers.get("content-type") ?? "",
      text: "",
      requestId: response.headers.get("x-request-id"),
    };
    exchanges.push(exchange);
    const { body } = response.clone();
    // One without an end is broken off when its reader has seen enough.
    if (exchange.type === "text/event-stream" && body !== null) collect(exchange, body).catch(() => {});
    else exchange.text = await new Response(body).text();
    return response;
  }
}

/** Keeps what a stream gives for as long as it is read. */
async function collect(exchange: Exchange, body: ReadableStream<Uint8Array>): Promise<void> {
  const decoder = new TextDecoder();
  for await (const chunk of body) exchange.text += decoder.decode(chunk, { stream: true });
}

function patternOf(operation: Operation): RegExp {
  const escaped = operation.path.replaceAll(/[.]/g, String.raw`\.`).replaceAll(/\{\w+\}/g, "[^/]+");
  return new RegExp(`^${escaped}$`);
}
