import type { Dispatcher } from "undici";
import { ConnectFailed } from "./guarded-connector.ts";
import type { EgressProblem, EgressRequest, EgressResult } from "./request.ts";
import { ACCEPT_ENCODING, decodeBody } from "./read-body.ts";

/**
 * One request and its answer over `dispatcher`, within the request's deadline and size. Redirects are not followed:
 * 3xx is an answer like another.
 */
export async function exchange(dispatcher: Dispatcher, request: EgressRequest, url: URL): Promise<EgressResult> {
  if (request.signal?.aborted === true) return { ok: false, problem: "canceled", sent: false };
  const received = await receive(dispatcher, request, url);
  if (!received.ok) return received;
  const { headers } = received;
  const decoded = await decodeBody(headers["content-encoding"], received.body, request.responseBytesMax);
  return { ...received, body: decoded.body, truncated: received.truncated || decoded.truncated };
}

function receive(dispatcher: Dispatcher, request: EgressRequest, url: URL): Promise<EgressResult> {
  return new Promise((resolve) => {
    const chunks: Uint8Array[] = [];
    let status = 0;
    let headers: Readonly<Record<string, string>> = {};
    let bytes = 0;
    let controller: Dispatcher.DispatchController | null = null;
    let settled = false;

    const settle = (result: EgressResult) => {
      if (settled) return;
      settled = true;
      clearTimeout(deadline);
      request.signal?.removeEventListener("abort", cancel);
      resolve(result);
      // Frees the connection when the answer goes on; after a whole answer this does nothing.
      if (!result.ok || result.truncated) controller?.abort(new Error("no longer wanted"));
    };
    const fail = (problem: EgressProblem) => settle({ ok: false, problem, sent: controller !== null });
    const cancel = () => fail("canceled");
    const answer = (truncated: boolean) =>
      settle({ ok: true, status, headers, body: Buffer.concat(chunks), truncated });
    const deadline = setTimeout(() => fail("timeout"), request.deadlineMs);
    request.signal?.addEventListener("abort", cancel, { once: true });

    const handler: Dispatcher.DispatchHandler = {
      onRequestStart(started) {
        // Its turn came after we had given up: nothing was written yet.
        if (settled) started.abort(new Error("no longer wanted"));
        controller = started;
      },
      onResponseStart(_controller, statusCode, responseHeaders) {
        status = statusCode;
        headers = joinHeaders(responseHeaders);
      },
      onResponseData(_controller, chunk) {
        const kept = chunk.subarray(0, request.responseBytesMax - bytes);
        chunks.push(kept);
        bytes += kept.length;
        if (kept.length < chunk.length) answer(true);
      },
      onResponseEnd: () => answer(false),
      onResponseError(_controller, error) {
        if (error instanceof ConnectFailed) settle({ ok: false, problem: error.problem, sent: false });
        else fail(problemOf(error));
      },
    };
    try {
      dispatcher.dispatch(
        {
          origin: url.origin,
          path: url.pathname + url.search,
          method: request.method,
          headers: { "accept-encoding": ACCEPT_ENCODING, ...ownHeaders(request.headers) },
          body: request.body ?? null,
          // The deadline of the whole exchange stands in for these.
          headersTimeout: 0,
          bodyTimeout: 0,
        },
        handler,
      );
    } catch (error) {
      fail(problemOf(error));
    }
  });
}

/** Headers that say where the message goes and how it is framed. */
const NOT_THE_CALLERS: ReadonlySet<string> = new Set([
  "host",
  "content-length",
  "transfer-encoding",
  "connection",
  "keep-alive",
  "upgrade",
  "te",
  "trailer",
  "expect",
  "proxy-authorization",
  "proxy-connection",
]);

function ownHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers)
      .map(([name, value]) => [name.toLowerCase(), value] as const)
      .filter(([name]) => !NOT_THE_CALLERS.has(name)),
  );
}

function joinHeaders(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name.toLowerCase(),
      Array.isArray(value) ? value.join(", ") : (value ?? ""),
    ]),
  );
}

function problemOf(error: unknown): EgressProblem {
  const code = error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
  switch (code) {
    case "UND_ERR_HEADERS_OVERFLOW":
      return "response_too_large";
    // A method, path or header that HTTP does not allow, such as one with a line break.
    case "UND_ERR_INVALID_ARG":
      return "invalid_url";
    case "UND_ERR_SOCKET":
    case "ECONNRESET":
    case "EPIPE":
      return "connection_reset";
    default:
      return code.startsWith("ERR_SSL") || code.startsWith("ERR_TLS") ? "tls" : "network";
  }
}
