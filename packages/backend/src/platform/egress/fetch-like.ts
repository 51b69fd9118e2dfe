import type { EgressProblem, EgressRequest, EgressResult } from "./request.ts";

export type FetchPolicy = Pick<
  EgressRequest,
  "exemptOrigins" | "deadlineMs" | "responseBytesMax" | "requireHttps" | "clientCertificate"
>;

/** Why a guarded `fetch` gave no answer. */
export class EgressError extends Error {
  override readonly name = "EgressError";
  readonly problem: EgressProblem;
  /** The request may have reached the server. */
  readonly sent: boolean;
  constructor(problem: EgressProblem, sent: boolean) {
    super(`no answer: ${problem}`);
    this.problem = problem;
    this.sent = sent;
  }
}

/**
 * `request` in the clothes of `fetch`: strings, bytes and forms as bodies, redirects given back as they are.
 *
 * @throws EgressError when there is no answer, or one longer than the policy allows
 */
export function fetchLike(
  request: (wanted: EgressRequest) => Promise<EgressResult>,
  policy: FetchPolicy,
): typeof fetch {
  return async (input, init) => {
    const wanted = new Request(input, init);
    const body = wanted.body === null ? null : new Uint8Array(await wanted.arrayBuffer());
    const result = await request({
      ...policy,
      url: wanted.url,
      method: wanted.method as EgressRequest["method"],
      headers: Object.fromEntries(wanted.headers),
      signal: wanted.signal,
      ...(body === null ? {} : { body }),
    });
    if (!result.ok) throw new EgressError(result.problem, result.sent);
    if (result.truncated) throw new EgressError("response_too_large", true);
    const headers = new Headers(result.headers);
    // The body is decoded already.
    headers.delete("content-encoding");
    headers.delete("content-length");
    const empty = BODILESS.has(result.status);
    return new Response(empty ? null : Buffer.from(result.body), { status: result.status, headers });
  };
}

/** Statuses that `Response` takes no body for. */
const BODILESS: ReadonlySet<number> = new Set([204, 205, 304]);
